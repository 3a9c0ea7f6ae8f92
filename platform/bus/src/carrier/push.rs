//! The carrier between processes without a broker: `POST /bus/deliver` to the consumer's process,
//! answered after the consumer's commit.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use mesh::discovery::{Discovery, Endpoint};
use mesh::pool::{Pool, PoolConfig};
use mesh::rpc::CLUSTER;
use parking_lot::Mutex;
use storage::Position;

use super::{Carrier, CarrierError, Confirmed};
use crate::Event;

/// How long a service may take for a batch, whichever of its processes are asked.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// How long one process may take. What it has applied by then is applied; the rest is sent again.
const PROCESS_MAX: Duration = Duration::from_secs(10);
const PROBLEM_BYTES_MAX: usize = 16 * 1024;

/// Posts a batch of events to some process of a service.
pub trait Post: Send + Sync + 'static {
    /// Posts `batch`, a CloudEvents JSON batch, for `consumer` of `service`. `Ok` when the consumer
    /// has committed; otherwise what went wrong.
    fn post(
        &self,
        service: Arc<str>,
        consumer: Arc<str>,
        batch: Bytes,
    ) -> BoxFuture<'_, Result<(), String>>;
}

/// Pushes events to a consumer in another process; done when it has committed.
pub(crate) struct PushLane {
    pub(crate) service: Arc<str>,
    pub(crate) consumer: Arc<str>,
    pub(crate) post: Arc<dyn Post>,
}

#[async_trait]
impl Carrier for PushLane {
    async fn begin(&mut self, _from: Position) -> Result<(), CarrierError> {
        Ok(())
    }

    async fn send(&mut self, events: &Arc<[Event]>) -> Result<(), CarrierError> {
        let batch = Bytes::from(Event::to_batch(events));
        let posting = self
            .post
            .post(Arc::clone(&self.service), Arc::clone(&self.consumer), batch);
        match tokio::time::timeout(ANSWER_MAX, posting).await {
            Ok(posted) => posted.map_err(CarrierError::Unavailable),
            Err(_) => {
                let (service, limit) = (&self.service, ANSWER_MAX.as_secs());
                Err(CarrierError::Unavailable(format!(
                    "{service} took more than {limit} s"
                )))
            }
        }
    }

    async fn confirmed(&mut self) -> Result<Confirmed, CarrierError> {
        Ok(Confirmed::All)
    }
}

/// Posts over the mesh's connections, to an address that discovery knows.
///
/// It stays with one process of a service for as long as that answers, and then takes the next.
pub struct MeshPush {
    process_max: Duration,
    discovery: Arc<dyn Discovery>,
    pool: Pool,
    secret: Option<HeaderValue>,
    /// The process of each service that is asked first.
    first: Mutex<HashMap<Arc<str>, Arc<str>>>,
}

impl MeshPush {
    /// Finds processes by `discovery`; `cluster_secret` is how they know us.
    #[must_use]
    pub fn new(discovery: Arc<dyn Discovery>, cluster_secret: Option<&str>) -> Self {
        let secret = cluster_secret
            .and_then(|s| HeaderValue::from_str(s).ok())
            .map(|mut value| {
                value.set_sensitive(true);
                value
            });
        let pool = Pool::new(PoolConfig::default());
        Self {
            discovery,
            pool,
            secret,
            process_max: PROCESS_MAX,
            first: Mutex::default(),
        }
    }

    /// The same, that waits so long for one process before it asks the next.
    #[must_use]
    pub const fn with_process_max(mut self, process_max: Duration) -> Self {
        self.process_max = process_max;
        self
    }

    /// The endpoints of `service`, the one to be asked first and those after it.
    fn endpoints(&self, service: &str) -> Vec<Endpoint> {
        let known = self.discovery.watch(service).borrow().to_vec();
        let first = self.first.lock().get(service).cloned();
        let at = known
            .iter()
            .position(|e| Some(&e.id) == first.as_ref())
            .unwrap_or(0);
        let (before, from) = known.split_at(at);
        from.iter().chain(before).cloned().collect()
    }

    async fn post_in_time(
        &self,
        to: &Endpoint,
        consumer: &str,
        batch: Bytes,
    ) -> Result<(), String> {
        let posting = self.post_to(to, consumer, batch);
        let posted = tokio::time::timeout(self.process_max, posting).await;
        posted.unwrap_or_else(|_| {
            let limit = self.process_max;
            Err(format!("{} took more than {limit:?}", to.id))
        })
    }

    async fn post_to(&self, to: &Endpoint, consumer: &str, batch: Bytes) -> Result<(), String> {
        let mut request = Request::new(Full::new(batch));
        *request.method_mut() = Method::POST;
        let path = format!("/bus/deliver?consumer={consumer}");
        *request.uri_mut() = path
            .parse()
            .map_err(|_| format!("'{consumer}' fits in no URL"))?;
        let headers = request.headers_mut();
        let host = to.addr.to_string();
        headers.insert(
            header::HOST,
            HeaderValue::from_str(&host).map_err(|e| e.to_string())?,
        );
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/cloudevents-batch+json"),
        );
        if let Some(secret) = &self.secret {
            headers.insert(CLUSTER, secret.clone());
        }
        let response = self
            .pool
            .send(to.addr, request)
            .await
            .map_err(|e| e.detail)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), PROBLEM_BYTES_MAX)
            .collect()
            .await;
        if status.is_success() {
            return Ok(());
        }
        let body = body
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        Err(format!(
            "{} answered {status}: {}",
            to.id,
            String::from_utf8_lossy(&body)
        ))
    }
}

impl Post for MeshPush {
    fn post(
        &self,
        service: Arc<str>,
        consumer: Arc<str>,
        batch: Bytes,
    ) -> BoxFuture<'_, Result<(), String>> {
        async move {
            let mut trouble = format!("no process of {service} is known");
            let endpoints = self.endpoints(&service);
            let next = endpoints.iter().cycle().skip(1);
            for (endpoint, next) in endpoints.iter().zip(next) {
                let posted = self.post_in_time(endpoint, &consumer, batch.clone()).await;
                // Noted at once: whoever waits for this may give up before another one answers.
                let first = if posted.is_ok() { endpoint } else { next };
                self.first
                    .lock()
                    .insert(Arc::clone(&service), Arc::clone(&first.id));
                match posted {
                    Ok(()) => return Ok(()),
                    Err(error) => trouble = error,
                }
            }
            Err(trouble)
        }
        .boxed()
    }
}
