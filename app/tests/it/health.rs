//! What an orchestrator asks a process: whether it lives, and whether to send it requests.

use std::net::SocketAddr;

use http::Method;
use nix::sys::signal::Signal;
use testkit::{Client, TempDir};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::program::{Killed, Program, command};
use crate::sandbox::soon;

/// Rows of an import: the first thousand are made before the last one has come.
const ROWS: usize = 1_100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_starts_lives_and_is_not_ready() {
    let dir = TempDir::new().expect("a temporary directory");
    // A gateway whose registry knows nobody waits for the others. Where it listens is told only
    // once it is ready, so it is given a port that is free.
    let address = SocketAddr::from(([127, 0, 0, 1], testkit::free_port()));
    let _process = Killed(
        command(dir.path())
            .args(["serve", "gateway", "--listen", "127.0.0.1:0"])
            .env("TRADEWIND__INTERNAL__LISTEN", address.to_string())
            .env("TRADEWIND__DISCOVERY__REGISTRY", "127.0.0.1:1")
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("the program starts"),
    );
    let client = Client::new(format!("http://{address}"));
    soon("it answers", async || client.get("/livez").await.is_ok()).await;
    says(&client, "/livez", 200, "up").await;
    says(&client, "/readyz", 503, "starting").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_drains_lives_and_is_not_ready_together() {
    drains(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_drains_lives_and_is_not_ready_apart() {
    drains(&["--apart"]).await;
}

async fn drains(args: &[&str]) {
    let dir = TempDir::new().expect("a temporary directory");
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let mut program = Program::up(dir.path(), &args, &[]);
    let admin = Client::new(program.url("admin"));
    says(&admin, "/livez", 200, "up").await;
    says(&admin, "/readyz", 200, "up").await;
    let slow = Slow::begin(&program).await;
    program.signal(Signal::SIGTERM);
    soon("it drains", async || {
        let reply = admin.get("/readyz").await.expect("answers");
        reply.status == 503
    })
    .await;
    says(&admin, "/readyz", 503, "draining").await;
    says(&admin, "/livez", 200, "up").await;
    let answer = slow.end().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(&format!("\"created\":{ROWS}")), "{answer}");
    assert!(program.wait().success());
}

async fn says(client: &Client, path: &str, status: u16, state: &str) {
    let reply = client.send(Method::GET, path, &[], "").await;
    let reply = reply.expect("answers");
    assert_eq!(reply.status, status, "{path}: {}", reply.text());
    assert_eq!(reply.json()["state"], state, "{path}");
}

/// A request that is in flight until it is told to end.
struct Slow {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Slow {
    /// Begins an import, and answers when the system is at work on it.
    async fn begin(program: &Program) -> Self {
        let base = program.url("gateway");
        let address = base.trim_start_matches("http://").to_owned();
        let mut table = String::from("url,code\n");
        for n in 0..ROWS {
            table += &format!("https://example.com/{n},row-{n}\n");
        }
        let head = format!(
            "POST /api/links/import HTTP/1.1\r\nhost: {address}\r\ncontent-type: text/csv\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            table.len()
        );
        let mut bytes = head.into_bytes();
        bytes.extend(table.into_bytes());
        let rest = bytes.split_off(bytes.len() - 1);
        let mut stream = TcpStream::connect(address).await.expect("connects");
        stream.write_all(&bytes).await.expect("written");
        let client = Client::new(base);
        soon("the first rows are made", async || {
            let visit = client.get("/row-0").await.expect("answers");
            visit.status == 302
        })
        .await;
        Self { stream, rest }
    }

    /// Sends what is missing; answers the answer.
    async fn end(mut self) -> String {
        self.stream.write_all(&self.rest).await.expect("written");
        let mut answer = String::new();
        self.stream
            .read_to_string(&mut answer)
            .await
            .expect("an answer");
        answer
    }
}
