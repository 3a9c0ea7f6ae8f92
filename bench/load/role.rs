//! What this program plays in a process of its own: the server, or the generator.

use std::convert::Infallible;
use std::io;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kernel::SystemClock;
use load::{Plan, Profile, Report, Run, Target};
use tokio::net::TcpListener;

use crate::process::{Ended, to_end};
use crate::{CONNECTIONS, Round, say};

pub(crate) fn play(role: &str, args: &[String]) -> io::Result<()> {
    match (role, args) {
        ("server", _) => serve(),
        ("load", [url, rate, seconds]) => drive(url, rate, seconds),
        _ => Err(io::Error::other("no such role")),
    }
}

/// Lets the generator load `url` and reads what it says.
pub(crate) fn measure(url: &str, rate: f64, length: Duration) -> io::Result<Round> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([
        "--role",
        "load",
        url,
        &rate.to_string(),
        &length.as_secs().to_string(),
    ]);
    let ended = to_end(&mut command)?;
    read(ended).ok_or_else(|| io::Error::other("the generator said nothing"))
}

fn read(ended: Ended) -> Option<Round> {
    let mut words = ended.said.split_whitespace();
    let mut next = || words.next()?.parse::<f64>().ok();
    let (answered, failed, seconds) = (next()? as u64, next()? as u64, next()?);
    let latency_ms = [next()?, next()?, next()?];
    let verdict = words.next()?.to_owned();
    Some(Round {
        answered,
        failed,
        seconds,
        latency_ms,
        verdict,
        ended,
    })
}

fn drive(url: &str, rate: &str, seconds: &str) -> io::Result<()> {
    let wrong = || io::Error::other("no number");
    let mut plan = Plan::new(vec![Target::parse(url).map_err(io::Error::other)?]);
    plan.profile = Profile::constant(rate.parse().map_err(|_| wrong())?);
    plan.duration = Some(Duration::from_secs(seconds.parse().map_err(|_| wrong())?));
    plan.connections = CONNECTIONS;
    // Beyond its capacity it is to drop, not to keep on sending after the end.
    plan.queue = 1_000;
    let run = Run::new(plan, Arc::new(SystemClock)).map_err(io::Error::other)?;
    let report = run
        .to_end(std::future::pending())
        .map_err(io::Error::other)?;
    tell(&report)
}

fn tell(report: &Report) -> io::Result<()> {
    let latency = &report.latency;
    say(&format!(
        "{} {} {} {} {} {} {:?}",
        report.answered,
        report.errors.total,
        report.elapsed_s,
        latency.p50_ms,
        latency.p99_ms,
        latency.max_ms,
        report.verdict.kind
    ))
}

/// Answers every request alike, on one thread; prints its address first, and runs until killed.
fn serve() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        say(&listener.local_addr()?.to_string())?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::task::spawn_local(async move {
                let answer = || Response::new(Full::new(Bytes::from_static(b"hello")));
                let service = service_fn(|_request| async { Ok::<_, Infallible>(answer()) });
                let builder = hyper::server::conn::http1::Builder::new();
                drop(
                    builder
                        .serve_connection(TokioIo::new(stream), service)
                        .await,
                );
            });
        }
    })
}
