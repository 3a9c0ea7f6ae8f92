//! Discovery by the supervisor's registry, over HTTP long polls. While the registry cannot be
//! reached, the last list stands.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderValue};
use http::{Method, Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use kernel::Tasks;

use super::{Discovery, Endpoint, Endpoints, Registration, RegistryView, StaticDiscovery};
use crate::pool::{Pool, PoolConfig};
use crate::rpc::CLUSTER;

/// The largest answer of a registry, in bytes.
const VIEW_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a long poll may take: the registry answers earlier.
const POLL_TIMEOUT: Duration = Duration::from_secs(40);
const SHORT_TIMEOUT: Duration = Duration::from_secs(5);
/// Waits between attempts while the registry is away: from the first to the second, doubling.
const RETRY_BASE: Duration = Duration::from_millis(50);
const RETRY_CAP: Duration = Duration::from_secs(2);

/// Knows what the registry knows. Cheap to clone.
#[derive(Clone)]
pub struct RegistryClient(Arc<Shared>);

struct Shared {
    addr: SocketAddr,
    secret: Option<HeaderValue>,
    pool: Pool,
    known: StaticDiscovery,
    tasks: Tasks,
}

impl RegistryClient {
    /// Follows the registry at `addr` until `tasks` end.
    ///
    /// It asks `GET /registry?after=VERSION` (see [`Registry::poll`](super::Registry::poll)), and
    /// announces by `POST /registry/register` and `POST /registry/deregister` with a
    /// [`Registration`] as JSON.
    #[must_use]
    pub fn start(addr: SocketAddr, secret: Option<Arc<str>>, tasks: &Tasks) -> Self {
        let secret = secret
            .and_then(|s| HeaderValue::from_str(&s).ok())
            .map(|mut value| {
                value.set_sensitive(true);
                value
            });
        let client = Self(Arc::new(Shared {
            addr,
            secret,
            pool: Pool::new(PoolConfig::default()),
            known: StaticDiscovery::new(),
            tasks: tasks.clone(),
        }));
        let follower = client.clone();
        tasks.spawn(async move { follower.follow().await });
        client
    }

    /// Registers this process and keeps its lease alive until the tasks end; then signs off.
    pub fn announce(&self, registration: Registration) {
        let client = self.clone();
        self.0.tasks.spawn(async move {
            let pause = Duration::from_millis(registration.lease_ms / 3).max(RETRY_BASE);
            loop {
                let wait = match client.post("/registry/register", &registration).await {
                    Ok(()) => pause,
                    Err(error) => {
                        tracing::warn!(%error, "cannot announce this process to the registry");
                        pause.min(RETRY_CAP)
                    }
                };
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = client.0.tasks.stopping() => break,
                }
            }
            if let Err(error) = client.post("/registry/deregister", &registration).await {
                tracing::info!(%error, "cannot sign off; the lease will end by itself");
            }
        });
    }

    async fn follow(&self) {
        let (mut after, mut pause) = (None, RETRY_BASE);
        loop {
            let polled = tokio::select! {
                polled = self.poll(after) => polled,
                () = self.0.tasks.stopping() => return,
            };
            match polled {
                Ok(view) => {
                    (after, pause) = (Some(view.version), RETRY_BASE);
                    self.apply(view);
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, "the registry does not answer; keeping its last list")
                }
            }
            // It may come back with other versions.
            after = None;
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(RETRY_CAP),
                () = self.0.tasks.stopping() => return,
            }
        }
    }

    fn apply(&self, view: RegistryView) {
        for service in self.0.known.services() {
            if !view.services.contains_key(&service) {
                self.0.known.set_if_changed(&service, Arc::from(Vec::new()));
            }
        }
        for (service, endpoints) in view.services {
            let endpoints: Arc<[Endpoint]> = endpoints.into();
            self.0.known.set_if_changed(&service, endpoints);
        }
    }

    async fn poll(&self, after: Option<u64>) -> Result<RegistryView, String> {
        let path = match after {
            Some(version) => format!("/registry?after={version}"),
            None => "/registry".to_owned(),
        };
        let body = self
            .send(Method::GET, &path, Bytes::new(), POLL_TIMEOUT)
            .await?;
        serde_json::from_slice(&body).map_err(|e| e.to_string())
    }

    async fn post(&self, path: &str, registration: &Registration) -> Result<(), String> {
        let body = serde_json::to_vec(registration).map_err(|e| e.to_string())?;
        self.send(Method::POST, path, body.into(), SHORT_TIMEOUT)
            .await
            .map(|_| ())
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        timeout: Duration,
    ) -> Result<Bytes, String> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse::<Uri>().map_err(|e| e.to_string())?;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_static("registry"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(secret) = &self.0.secret {
            headers.insert(CLUSTER, secret.clone());
        }
        let exchange = async {
            let response = self
                .0
                .pool
                .send(self.0.addr, request)
                .await
                .map_err(|e| e.to_string())?;
            if !response.status().is_success() {
                return Err(format!("HTTP status {}", response.status()));
            }
            let body = Limited::new(response.into_body(), VIEW_BYTES_MAX);
            body.collect()
                .await
                .map(|c| c.to_bytes())
                .map_err(|e| e.to_string())
        };
        tokio::time::timeout(timeout, exchange)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", timeout.as_secs())))
    }
}

impl Discovery for RegistryClient {
    fn watch(&self, service: &str) -> Endpoints {
        self.0.known.watch(service)
    }
}
