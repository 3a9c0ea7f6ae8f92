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
use kernel::Coded;
use serde::{Deserialize, Serialize};
use web::{Meta, ProblemReply, Request, Response};

use crate::operate::faulty::Faulty;
use crate::shell::bodies::{body, json};
use crate::shell::host::Host;
use crate::shell::hosted::Hosted;

pub(crate) use change::SetPolicy;
pub(crate) use console::KnobView;

pub(crate) use self::read::view;

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
    /// What strikes processes as a whole.
    pub(super) faulty: Faulty,
}

type Answer = Result<Response, ProblemReply>;
type Query = BTreeMap<String, String>;

impl Admin {
    pub(crate) fn new(host: Arc<Host>, services: Arc<[Hosted]>, faulty: Faulty) -> Self {
        Self {
            host,
            services,
            faulty,
        }
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

fn problem<E: Coded + std::fmt::Display>(error: E) -> ProblemReply {
    web::problem(&error)
}
