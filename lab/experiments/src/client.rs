//! A small HTTP client for the systems that are measured: bounded in time and size.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client as Pooled;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::error::{Error, Result, failed};

const ANSWER_BYTES_MAX: usize = 64 << 20;
/// For how long something is asked again, and how soon.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// Talks to a system. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pooled: Pooled<HttpConnector, Full<Bytes>>,
    key: Option<String>,
    within: Duration,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    /// A client that shows `key` and waits for an answer no longer than `within`.
    pub(crate) fn new(key: Option<String>, within: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_WITHIN.min(within)));
        let pooled = Pooled::builder(TokioExecutor::new()).build(connector);
        Self {
            pooled,
            key,
            within,
        }
    }

    /// The key that it shows.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    pub(crate) async fn send(&self, method: Method, url: &str, body: Vec<u8>) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(url);
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request
            .body(Full::from(body))
            .map_err(|error| Error::Bad(format!("'{url}' is no URL: {error}")))?;
        let whole = async {
            let asked = self.pooled.request(request).await;
            let (parts, body) = asked
                .map_err(|error| unready(url, why(&error)))?
                .into_parts();
            let read = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            Ok(Answer {
                status: parts.status,
                headers: parts.headers,
                body: read.map_err(|error| failed(url, error))?.to_bytes(),
            })
        };
        match tokio::time::timeout(self.within, whole).await {
            Ok(answer) => answer,
            Err(_) => {
                let text = format!("{url} did not answer within {:?}", self.within);
                Err(Error::Unready(text))
            }
        }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T> {
        self.send(Method::GET, url, Vec::new()).await?.json(url)
    }

    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        method: Method,
        url: &str,
        body: &impl Serialize,
    ) -> Result<T> {
        let body = serde_json::to_vec(body).map_err(|error| failed(url, error))?;
        self.send(method, url, body).await?.json(url)
    }
}

/// Asks until it goes well or is refused for good, for a bounded time: a system that has just
/// started, that has lost a process, or whose machine is busy may refuse for a moment.
pub(crate) async fn patiently<T>(mut ask: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    loop {
        match ask().await {
            Err(Error::Unready(_)) if start.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

fn unready(url: &str, error: impl std::fmt::Display) -> Error {
    Error::Unready(format!("{url}: {error}"))
}

/// An error with its causes: what the client says alone does not say what happened.
fn why(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[derive(serde::Deserialize)]
struct Problem {
    detail: String,
}

impl Answer {
    /// The content as JSON; an error with the problem's detail unless the status says well.
    pub(crate) fn json<T: DeserializeOwned>(&self, url: &str) -> Result<T> {
        if !self.status.is_success() {
            let detail = serde_json::from_slice::<Problem>(&self.body).map(|p| p.detail);
            let detail = detail.unwrap_or_else(|_| format!("answered {}", self.status));
            let passes =
                self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS;
            return Err(match passes {
                true => unready(url, detail),
                false => failed(url, detail),
            });
        }
        serde_json::from_slice(&self.body).map_err(|error| failed(url, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_for_a_moment_is_asked_again_and_what_is_refused_for_good_is_not() {
        let asked = |error: fn() -> Error, refusals: u32| async move {
            let mut times = 0;
            let answer = patiently(async || {
                times += 1;
                if times > refusals {
                    Ok(())
                } else {
                    Err(error())
                }
            });
            let answer = answer.await;
            (answer.is_ok(), times)
        };
        let unready = || Error::Unready(String::new());
        assert_eq!(asked(unready, 3).await, (true, 4));
        let (well, times) = asked(unready, u32::MAX).await;
        assert!(!well && times > 100, "not for ever: {times}");
        assert_eq!(asked(|| Error::Failed(String::new()), 3).await, (false, 1));
    }
}
