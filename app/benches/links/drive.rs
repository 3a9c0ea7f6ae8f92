//! The load: 32 keep-alive connections that ask for one code after another, uniformly.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::process::Server;

const CONNECTIONS: usize = 32;
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";

/// Creates links through the API until there are `size`, remembering their codes.
pub(crate) async fn grow(
    address: SocketAddr,
    codes: &mut Vec<String>,
    size: usize,
) -> anyhow::Result<()> {
    while codes.len() < size {
        let count = (size - codes.len()).min(100);
        let links: Vec<_> = (0..count)
            .map(|i| serde_json::json!({"url": format!("https://example.com/page/{}", codes.len() + i)}))
            .collect();
        let body = serde_json::to_vec(&serde_json::json!({ "links": links }))?;
        let answer = once(address, "POST", "/api/links/bulk", &body).await?;
        let before = codes.len();
        collect_codes(&answer, codes);
        anyhow::ensure!(
            codes.len() == before + count,
            "bulk create answered: {answer}"
        );
    }
    Ok(())
}

fn collect_codes(answer: &serde_json::Value, codes: &mut Vec<String>) {
    match answer {
        serde_json::Value::Object(map) => {
            if map.contains_key("short_url")
                && let Some(code) = map.get("code").and_then(|c| c.as_str())
            {
                codes.push(code.to_owned());
            }
            map.values().for_each(|v| collect_codes(v, codes));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|v| collect_codes(v, codes)),
        _ => {}
    }
}

/// Drives `address` for `window` and answers how many requests were answered with a 302.
pub(crate) async fn load(
    address: SocketAddr,
    targets: &[String],
    window: Duration,
) -> anyhow::Result<u64> {
    let targets: Arc<[String]> = targets.into();
    let end = Instant::now() + window;
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..CONNECTIONS {
        tasks.spawn(connection(address, Arc::clone(&targets), lane, end));
    }
    let mut answered = 0;
    while let Some(done) = tasks.join_next().await {
        answered += done??;
    }
    Ok(answered)
}

async fn connection(
    address: SocketAddr,
    targets: Arc<[String]>,
    lane: usize,
    end: Instant,
) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut answered, mut at) = (0, lane * targets.len() / CONNECTIONS);
    let mut buffer = vec![0_u8; 4_096];
    while Instant::now() < end {
        // A step that is coprime to the sizes used, so that every link is asked for equally often.
        at = (at + 7_919) % targets.len();
        let request = format!(
            "GET {} HTTP/1.1\r\nhost: {address}\r\nuser-agent: {AGENT}\r\naccept: */*\r\naccept-language: en-GB,en;q=0.8\r\nreferer: https://news.example.org/item\r\n\r\n",
            targets[at]
        );
        stream.write_all(request.as_bytes()).await?;
        let mut filled = 0;
        loop {
            let read = stream.read(&mut buffer[filled..]).await?;
            anyhow::ensure!(read > 0, "the server closed the connection");
            filled += read;
            if buffer[..filled].ends_with(b"\r\n\r\n") {
                break;
            }
        }
        anyhow::ensure!(
            buffer.starts_with(b"HTTP/1.1 302"),
            "expected a redirect, got: {}",
            String::from_utf8_lossy(&buffer[..filled])
        );
        answered += 1;
    }
    Ok(answered)
}

/// Waits until the process is idle, so that deferred work is charged to the round that caused it.
/// A group of clicks waits two seconds before it is folded, so it has to be idle for longer.
pub(crate) async fn settle(server: &Server) {
    const IDLE_SECONDS: u32 = 4;
    let end = Instant::now() + Duration::from_secs(60);
    let (mut last, mut idle) = (Duration::ZERO, 0);
    while Instant::now() < end && idle < IDLE_SECONDS {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let Ok(now) = server.cpu() else { return };
        let is_idle = now.saturating_sub(last) <= Duration::from_millis(20);
        idle = if is_idle { idle + 1 } else { 0 };
        last = now;
    }
}

/// Fails unless every click was counted: a fast server that loses clicks proves nothing.
pub(crate) async fn check_counts(address: SocketAddr, codes: &[String]) -> anyhow::Result<()> {
    let code = codes.first().context("a link")?;
    let before = clicks(address, code).await?;
    let target = [format!("/{code}")];
    let answered = load(address, &target, Duration::from_secs(1)).await?;
    let counted = clicks(address, code).await? - before;
    println!("clicks on one link: {answered} answered, {counted} counted");
    anyhow::ensure!(answered == counted, "clicks were lost or doubled");
    Ok(())
}

async fn clicks(address: SocketAddr, code: &str) -> anyhow::Result<u64> {
    let answer = once(address, "GET", &format!("/api/links/{code}/stats"), b"").await?;
    answer["total_clicks"]
        .as_u64()
        .with_context(|| format!("stats answered: {answer}"))
}

async fn once(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &[u8],
) -> anyhow::Result<serde_json::Value> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let text = String::from_utf8(answer)?;
    let (_, body) = text.split_once("\r\n\r\n").context("an HTTP answer")?;
    serde_json::from_str(body).with_context(|| format!("JSON in: {text}"))
}
