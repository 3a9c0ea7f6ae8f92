//! Administration of one process: knobs, edges, faults, the time axis, traces, dead letters.
//!
//! `GET /admin` lists what there is. Only known callers are let in.

mod change;
mod faults;
mod letters;
mod read;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use console::ClusterError;
use futures_util::future::BoxFuture;
use http::{Method, StatusCode};
use kernel::{Code, Coded};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use web::{Meta, ProblemReply, Request, Response};

use crate::host::{Host, Hosted};
use crate::internal::json;

pub(crate) use change::SetPolicy;
pub(crate) use console::KnobView;

pub(crate) use self::read::view;

const BODY_BYTES_MAX: usize = 64 * 1024;

/// A knob to set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KnobSet {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) value: String,
}

/// The administration of this process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Admin {
    host: Arc<Host>,
    services: Arc<[Hosted]>,
}

type Answer = Result<Response, ProblemReply>;
type Query = BTreeMap<String, String>;

impl Admin {
    pub(crate) fn new(host: Arc<Host>, services: Arc<[Hosted]>) -> Self {
        Self { host, services }
    }

    /// The answer to a request below `/admin`.
    pub(crate) fn answer(&self, meta: &Meta, request: Request) -> BoxFuture<'static, Response> {
        let known = web::require(&meta.caller, web::ADMIN);
        let admin = self.clone();
        Box::pin(async move {
            let answer = match known {
                Ok(()) => admin.route(request).await,
                Err(refused) => Err(refused),
            };
            answer.unwrap_or_else(ProblemReply::into_web)
        })
    }

    /// The names of the services in this process.
    pub(crate) fn services(&self) -> Vec<&'static str> {
        self.services.iter().map(|service| service.name).collect()
    }

    /// What a GET of `/metrics` or of a path below `/admin` answers.
    pub(crate) async fn get(&self, path: &str) -> Result<Bytes, ClusterError> {
        if path == "/metrics" {
            return Ok(self.host.telemetry.metrics.render().into());
        }
        let mut request = Request::default();
        *request.uri_mut() = path
            .parse()
            .map_err(|_| ClusterError::NotFound(format!("{path} is no path")))?;
        let body = self
            .route(request)
            .await
            .map_err(|p| ClusterError::NotFound(p.0.detail))?;
        let read = web::read_body(body.into_body(), usize::MAX).await;
        read.map_err(|_| ClusterError::Unreachable {
            replica: self.host.id.clone(),
        })
    }

    async fn route(&self, request: Request) -> Answer {
        let path = request.uri().path().trim_matches('/').to_owned();
        let steps: Vec<&str> = path.split('/').skip(1).collect();
        let (method, query) = (request.method().clone(), read::query(&request));
        match (&method, steps.as_slice()) {
            (&Method::GET, []) => Ok(read::index()),
            (&Method::GET, ["process"]) => Ok(self.process()),
            (&Method::GET, ["knobs"]) => Ok(json(StatusCode::OK, &self.knobs())),
            (&Method::GET, ["edges"]) => Ok(json(StatusCode::OK, &self.host.mesh.list())),
            (&Method::GET, ["routes"]) => Ok(self.routes()),
            (&Method::GET, ["upstreams"]) => Ok(self.upstreams()),
            (&Method::GET, ["timeline"]) => self.timeline(&query),
            (&Method::GET, ["traces"]) => self.traces(&query),
            (&Method::GET, ["traces", id]) => self.trace(id),
            (&Method::GET, ["dead-letters"]) => self.dead_letters(&query).await,
            (&Method::POST, ["knobs"]) => Ok(json(
                StatusCode::OK,
                &self.turn(body(request).await?).await?,
            )),
            (&Method::POST, ["policies"]) => self.set_policy(body(request).await?),
            (&Method::GET, ["place"]) => Ok(json(StatusCode::OK, &self.place())),
            (&Method::GET, ["faults"]) => Ok(json(StatusCode::OK, &self.host.faults.list())),
            (&Method::POST, ["faults"]) => self.inject(None, body(request).await?),
            (&Method::PUT, ["faults", id]) => self.inject(Some(id), body(request).await?),
            (&Method::DELETE, ["faults"]) => self.end_faults(None),
            (&Method::DELETE, ["faults", id]) => self.end_faults(Some(id)),
            (&Method::POST, ["dead-letters"]) => self.redrive(body(request).await?).await,
            _ => Err(read::unknown(&method, &path)),
        }
    }
}

/// The JSON in the body of `request`.
pub(crate) async fn body<T: DeserializeOwned>(request: Request) -> Result<T, ProblemReply> {
    let bytes = web::read_body(request.into_body(), BODY_BYTES_MAX).await?;
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = format!("/{}", error.path().to_string().replace('.', "/"));
        let detail = error.inner().to_string();
        let problem = kernel::Problem::new(Code::Invalid, format!("{pointer}: {detail}"));
        ProblemReply(Box::new(problem.with_field(pointer, detail)))
    })
}

fn problem<E: Coded + std::fmt::Display>(error: E) -> ProblemReply {
    web::problem(&error)
}
