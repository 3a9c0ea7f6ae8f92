//! SIGTERM under load: what was begun is finished, and what was answered is counted.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use kernel::Tasks;
use nix::sys::signal::Signal;
use serde_json::json;
use testkit::{Client, Postgres, TempDir};
use tokio::net::TcpStream;

use crate::BROWSER;
use crate::program::Program;
use crate::sandbox::soon;

const CLIENTS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_loses_no_request_and_no_click_together() {
    story(&[], &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_loses_no_request_and_no_click_apart() {
    story(&["--apart", "--replicas", "links=2"], &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_loses_no_request_and_no_click_apart_on_postgres() {
    let Some(postgres) = Postgres::shared().await else {
        return;
    };
    let apart = [
        "--apart",
        "--replicas",
        "links=2",
        "--store",
        &postgres.url(),
    ];
    let own = ("TRADEWIND__STORE__SCHEMA_PREFIX", "drain_");
    story(&apart, &[own]).await;
}

/// What one client has seen.
#[derive(Debug, Default)]
struct Seen {
    redirected: u64,
    failed: Vec<String>,
}

async fn story(args: &[&str], env: &[(&str, &str)]) {
    let dir = TempDir::new().expect("a temporary directory");
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let env: Vec<_> = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut program = Program::up(dir.path(), &args, &env);
    let client = Client::new(program.url("gateway"));
    let link = json!({ "url": "https://example.com/", "code": "busy" });
    let made = client
        .json(http::Method::POST, "/api/links", &link)
        .await
        .expect("answers");
    assert_eq!(made.status, 201, "{}", made.text());
    let addr: Arc<str> = program.url("gateway").trim_start_matches("http://").into();
    let tasks = Tasks::new();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| tasks.spawn(visit_until_gone(Arc::clone(&addr))))
        .collect();
    soon("the load is on", || async { clicks(&client).await > 500 }).await;
    program.signal(Signal::SIGTERM);
    let mut redirected = 0;
    for seen in clients {
        let seen = seen.await.expect("the client ends");
        assert_eq!(seen.failed, Vec::<String>::new());
        redirected += seen.redirected;
    }
    assert!(program.wait().success());
    let program = Program::up(dir.path(), &args, &env);
    let client = Client::new(program.url("gateway"));
    assert_eq!(clicks(&client).await, redirected, "served == counted");
}

async fn clicks(client: &Client) -> u64 {
    let stats = client.get("/api/links/busy/stats").await.expect("answers");
    stats.json()["total_clicks"].as_u64().expect("a number")
}

/// Visits on one connection after the other until nobody listens any more.
async fn visit_until_gone(addr: Arc<str>) -> Seen {
    let mut seen = Seen::default();
    let tasks = Tasks::new();
    while let Some(mut connection) = connect(&addr, &tasks).await {
        // A connection that closes between two requests has failed none of them.
        while connection.ready().await.is_ok() {
            let request = Request::get("/busy")
                .header("host", &*addr)
                .header("user-agent", BROWSER)
                .body(Empty::<Bytes>::new())
                .expect("a request");
            match connection.try_send_request(request).await {
                Ok(response) if response.status() == 302 => seen.redirected += 1,
                Ok(response) => seen.failed.push(response.status().to_string()),
                Err(mut error) => {
                    // It is no failure if it was closed before the request was sent.
                    if error.take_message().is_none() {
                        seen.failed.push(error.into_error().to_string());
                    }
                    break;
                }
            }
        }
    }
    seen
}

/// A connection; nothing when nobody listens.
async fn connect(addr: &str, tasks: &Tasks) -> Option<SendRequest<Empty<Bytes>>> {
    let stream = tokio::time::timeout(Duration::from_secs(10), TcpStream::connect(addr)).await;
    let stream = stream
        .expect("a connection comes about or is refused")
        .ok()?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
    tasks.spawn(connection);
    Some(sender)
}
