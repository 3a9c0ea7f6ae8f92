//! One HTTP request over a connection of its own, for chores that ask a running system.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// How long an answer may take.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What came back.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body as text. Nothing here reads chunks: HTTP/1.0 is spoken, so that none are sent.
    pub body: String,
}

/// Asks `address` (host and port); `headers` are whole lines.
pub fn ask(
    address: &str,
    method: &str,
    path: &str,
    (headers, body): (&str, &str),
) -> Result<Answer> {
    let mut stream =
        TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
    stream.set_read_timeout(Some(WAIT_MAX))?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .context("an answer without a head")?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Ok(Answer {
        status: status.context("an answer without a status")?,
        body: body.to_owned(),
    })
}

/// Reads `path` with GET.
pub fn get(address: &str, path: &str) -> Result<Answer> {
    ask(address, "GET", path, ("", ""))
}
