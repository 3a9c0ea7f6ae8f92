//! `tradewind proxy`: a proxy of its own in front of any server, and the faults that strike it.

use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use faults::Faults;
use kernel::{Ctx, Tasks};
use serde_json::json;
use tokio::net::TcpListener;

use super::BadInput;
use super::fault_args::ProxyArgs;
use super::output::Output;
use super::process::Signals;
use crate::operate::outpost::Outpost;

pub(super) fn run(args: &ProxyArgs, output: Output) -> Result<ExitCode> {
    if !args.admin.ip().is_loopback() {
        let text = "--admin wants an address on this machine, because it asks nobody for a key";
        return Err(anyhow!(BadInput(text.to_owned())));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(stand(args, output))
}

async fn stand(args: &ProxyArgs, output: Output) -> Result<ExitCode> {
    let mut signals = Signals::new()?;
    let (ctx, tasks) = (Ctx::system(), Tasks::new());
    let listener = bind("--listen", args.listen).await?;
    let admin = bind("--admin", args.admin).await?;
    let (listen, url) = (
        listener.local_addr()?,
        format!("http://{}", admin.local_addr()?),
    );
    let faults = Faults::new(ctx.clone());
    faults.keep(&tasks);
    ::proxy::serve(listener, args.to.as_str(), &faults, &tasks);
    Outpost::new(&args.name, faults).serve(admin, &ctx, &tasks);
    let (name, to) = (&args.name, &args.to);
    let text = format!(
        "{name} leads from {listen} to {to}; break it with: \
         tradewind fault add socket latency --service {name} --ms 100 --ttl 30s --url {url}"
    );
    let ready = json!({
        "name": name, "listen": listen.to_string(), "to": to, "admin": url,
        "pid": std::process::id(),
    });
    output.say(&text, &ready)?;
    signals.next().await;
    tokio::select! {
        () = tasks.shutdown() => {}
        () = signals.next() => {}
    }
    Ok(ExitCode::SUCCESS)
}

async fn bind(flag: &str, addr: std::net::SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(addr)
        .await
        .with_context(|| format!("cannot listen on {addr}; choose another address with {flag}"))
}
