//! Hands finished spans to an OTLP/HTTP collector, in batches, from a bounded queue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{FinishedSpan, otlp};
use crate::Counter;

/// How many spans wait at most; more are dropped and counted.
pub(super) const QUEUE_SPANS_MAX: usize = 4_096;
const BATCH_SPANS_MAX: usize = 512;
const BATCH_WAIT: Duration = Duration::from_secs(1);
const REQUEST_TIME_MAX: Duration = Duration::from_secs(5);
const TRIES_MAX: u32 = 4;
const BACKOFF: Duration = Duration::from_millis(200);
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Where spans go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtlpConfig {
    /// The collector's base address, `http://host:4318`; `/v1/traces` is added when it has no path.
    pub endpoint: String,
    /// Headers of each request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What tells this process from another of the same service.
    #[serde(default)]
    pub instance: String,
    /// More attributes of the resource: `deployment.environment.name`, ...
    #[serde(default)]
    pub resource: BTreeMap<String, String>,
}

/// Export could not be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// The address is no address.
    #[error("otlp endpoint '{0}' cannot be read; write http://host:4318")]
    Endpoint(String),
    /// Only plain HTTP is spoken.
    #[error(
        "otlp endpoint '{0}' is not http; run a collector beside this process and name it as http://host:4318"
    )]
    Scheme(String),
    /// A header is no header.
    #[error(
        "otlp header '{0}' cannot be sent; use letters, digits and dashes in its name and printable characters in its value"
    )]
    Header(String),
    /// It is set up already.
    #[error("otlp export is set up already; name one endpoint")]
    Twice,
}

#[derive(Debug)]
pub(super) struct Counts {
    pub(super) exported: Counter,
    pub(super) dropped: Counter,
}

/// The endpoint, taken apart.
#[derive(Debug)]
pub(super) struct Target {
    address: String,
    host: String,
    path: String,
    headers: header::HeaderMap,
}

impl Target {
    pub(super) fn of(config: &OtlpConfig) -> Result<Self, ExportError> {
        let wrong = || ExportError::Endpoint(config.endpoint.clone());
        let uri: Uri = config.endpoint.parse().map_err(|_| wrong())?;
        if uri.scheme_str() != Some("http") {
            return Err(ExportError::Scheme(config.endpoint.clone()));
        }
        let authority = uri.authority().ok_or_else(wrong)?;
        let path = match uri.path() {
            "" | "/" => "/v1/traces".to_owned(),
            path => path.to_owned(),
        };
        let mut headers = header::HeaderMap::new();
        for (name, value) in &config.headers {
            let bad = || ExportError::Header(name.clone());
            let key: header::HeaderName = name.parse().map_err(|_| bad())?;
            headers.insert(key, value.parse().map_err(|_| bad())?);
        }
        let port = authority.port_u16().unwrap_or(80);
        let address = format!("{}:{port}", authority.host());
        Ok(Self {
            address,
            host: authority.to_string(),
            path,
            headers,
        })
    }
}

/// Runs until told to stop, then sends what is waiting once more.
pub(super) async fn run(
    config: OtlpConfig,
    target: Target,
    mut queue: mpsc::Receiver<Arc<FinishedSpan>>,
    counts: Counts,
    stopping: CancellationToken,
) {
    let mut batch = Vec::with_capacity(BATCH_SPANS_MAX);
    loop {
        let last = tokio::select! {
            () = stopping.cancelled() => true,
            () = fill(&mut queue, &mut batch) => false,
        };
        if last {
            queue.close();
            while batch.len() < QUEUE_SPANS_MAX
                && let Ok(span) = queue.try_recv()
            {
                batch.push(span);
            }
        }
        if !batch.is_empty() {
            let body = Bytes::from(otlp::request(&config, &batch).to_string());
            let tries = if last { 1 } else { TRIES_MAX };
            let spans = batch.len() as u64;
            let sent = send(&target, &body, tries, &stopping).await;
            if sent {
                counts.exported.add(spans)
            } else {
                counts.dropped.add(spans)
            }
            batch.clear();
        }
        if last {
            return;
        }
    }
}

/// Waits for a first span, then for a full batch or the end of the wait. Cancellation-safe: what
/// was taken is in `batch`.
async fn fill(queue: &mut mpsc::Receiver<Arc<FinishedSpan>>, batch: &mut Vec<Arc<FinishedSpan>>) {
    if batch.is_empty() && queue.recv_many(batch, BATCH_SPANS_MAX).await == 0 {
        std::future::pending::<()>().await;
    }
    let full = async {
        while batch.len() < BATCH_SPANS_MAX {
            let room = BATCH_SPANS_MAX - batch.len();
            if queue.recv_many(batch, room).await == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(BATCH_WAIT, full).await;
}

async fn send(target: &Target, body: &Bytes, tries: u32, stopping: &CancellationToken) -> bool {
    for attempt in 0..tries {
        if attempt > 0 {
            let pause = tokio::time::sleep(BACKOFF * 2_u32.pow(attempt));
            tokio::select! { () = pause => {}, () = stopping.cancelled() => {} }
        }
        match tokio::time::timeout(REQUEST_TIME_MAX, post(target, body.clone())).await {
            Ok(Ok(status)) if status.is_success() => return true,
            Ok(Ok(status)) if !may_pass(status) => {
                tracing::warn!(%status, endpoint = target.host, "the otlp collector refused spans");
                return false;
            }
            Ok(Ok(status)) => tracing::debug!(%status, "the otlp collector is busy"),
            Ok(Err(error)) => tracing::debug!(%error, "the otlp collector does not answer"),
            Err(_) => tracing::debug!("the otlp collector took too long"),
        }
    }
    tracing::warn!(
        endpoint = target.host,
        "the otlp collector does not answer; spans are dropped"
    );
    false
}

/// The statuses on which the OTLP specification asks for another try.
fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

type PostError = Box<dyn std::error::Error + Send + Sync>;

/// One request on a connection of its own: a batch a second does not need a pool.
async fn post(target: &Target, body: Bytes) -> Result<StatusCode, PostError> {
    let stream = TcpStream::connect(&target.address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let mut request = Request::post(&target.path)
        .header(header::HOST, &target.host)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "close")
        .body(Full::new(body))?;
    request.headers_mut().extend(target.headers.clone());
    let answer = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let _ = Limited::new(answer.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await;
        Ok::<_, hyper::Error>(status)
    };
    tokio::pin!(answer, connection);
    tokio::select! {
        status = &mut answer => Ok(status?),
        ended = &mut connection => {
            ended?;
            Ok(answer.await?)
        }
    }
}
