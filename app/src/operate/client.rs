//! A small HTTP client: bounded in time and size, with the proof that we belong to the system.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as Pooled, Error as SendError};
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use web::{ClusterSecret, headers};

const ANSWER_BYTES_MAX: usize = 16 << 20;
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// Talks to processes of ours. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pooled: Pooled<HttpConnector, Full<Bytes>>,
    cluster: Option<ClusterSecret>,
    key: Option<String>,
    timeout: Duration,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The content.
    pub(crate) body: Bytes,
}

impl Client {
    /// A client that gives up on an answer after `timeout`.
    #[must_use]
    pub(crate) fn new(timeout: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        let pooled = Pooled::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(8)
            .build(connector);
        Self {
            pooled,
            cluster: None,
            key: None,
            timeout,
        }
    }

    /// Sends the cluster secret with every request. Only for addresses of our own system.
    #[must_use]
    pub(crate) fn with_cluster(mut self, secret: ClusterSecret) -> Self {
        self.cluster = Some(secret);
        self
    }

    /// Sends this API key with every request.
    #[must_use]
    pub(crate) fn with_key(mut self, key: Option<String>) -> Self {
        self.key = key;
        self
    }

    /// Sends a request with more headers and a body.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        extra: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(url);
        if let Some(secret) = &self.cluster {
            request = request.header(headers::CLUSTER, secret.expose());
        }
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::from(body))
            .with_context(|| format!("bad URL {url}"))?;
        let whole = async {
            let (parts, body) = self.pooled.request(request).await?.into_parts();
            let body = web::read_body(body, ANSWER_BYTES_MAX).await?;
            anyhow::Ok(Answer {
                status: parts.status,
                body,
            })
        };
        match tokio::time::timeout(self.timeout, whole).await {
            Ok(answer) => answer.with_context(|| format!("no answer from {url}")),
            Err(_) => bail!("no answer from {url} within {:?}", self.timeout),
        }
    }

    /// Reads JSON.
    pub(crate) async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T> {
        self.send(Method::GET, url, &[], Vec::new()).await?.json()
    }

    /// Sends JSON and reads JSON.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        url: &str,
        body: &impl serde::Serialize,
    ) -> Result<T> {
        let json = [("content-type", "application/json")];
        self.send(Method::POST, url, &json, serde_json::to_vec(body)?)
            .await?
            .json()
    }
}

/// Whether a request failed because nobody was there to take it.
pub(crate) fn is_nobody_there(error: &anyhow::Error) -> bool {
    let sent = error.chain().find_map(|e| e.downcast_ref::<SendError>());
    sent.is_some_and(SendError::is_connect)
}

impl Answer {
    /// The content as JSON; an error with the problem's detail unless the status says well.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T> {
        if !self.status.is_success() {
            let problem: Option<kernel::Problem> = serde_json::from_slice(&self.body).ok();
            match problem {
                Some(problem) => bail!("{}", problem.detail),
                None => bail!("answered {}", self.status),
            }
        }
        serde_json::from_slice(&self.body).context("the answer is not the JSON that was expected")
    }
}
