//! The system as JSON, for the command line and experiments: `/system`, and below it `knobs`,
//! `metrics`, `faults`, `policies` and `timeline`.

use std::sync::Arc;

use console::{About, Cluster, ClusterError, Replica};
use futures_util::future::join_all;
use http::{Method, StatusCode};
use kernel::{Code, Timestamp};
use serde::{Deserialize, Serialize};
use web::{Handler, ProblemReply, Request, Response};

use crate::operate::admin::KnobSet;
use crate::operate::cluster::System;
use crate::shell::bodies::{body, json};

/// What the system is and what runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) about: About,
    pub(crate) replicas: Vec<Replica>,
    /// Where the world comes in, if this process knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gateway: Option<String>,
}

/// The metrics of one process.
#[derive(Serialize)]
struct Measured {
    replica: String,
    /// In the text format of Prometheus.
    metrics: String,
}

impl System {
    /// What answers below `/system`.
    pub(crate) fn handler(self: &Arc<Self>) -> Arc<dyn Handler> {
        let system = Arc::clone(self);
        web::from_fn(move |request| {
            let system = Arc::clone(&system);
            async move {
                system
                    .answer(request)
                    .await
                    .unwrap_or_else(ProblemReply::into_web)
            }
        })
    }

    async fn answer(&self, request: Request) -> Result<Response, ProblemReply> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let steps: Vec<&str> = path.trim_matches('/').split('/').skip(1).collect();
        match (&method, steps.as_slice()) {
            (&Method::GET, []) => {
                let status = Status {
                    about: self.about(),
                    replicas: self.replicas().await,
                    gateway: self.host.public.get().map(|addr| format!("http://{addr}")),
                };
                Ok(json(StatusCode::OK, &status))
            }
            (&Method::GET, ["metrics"]) => Ok(json(StatusCode::OK, &self.metrics().await)),
            (&Method::GET, ["knobs"]) => {
                Ok(json(StatusCode::OK, &self.knobs().await.map_err(told)?))
            }
            (&Method::POST, ["knobs"]) => {
                let set: KnobSet = body(request).await?;
                let done = self.set_knob(&set.service, &set.name, &set.value).await;
                Ok(json(StatusCode::OK, &done.map_err(told)?))
            }
            (&Method::GET, ["faults"]) => Ok(json(StatusCode::OK, &self.all_faults().await)),
            (&Method::POST, ["faults"]) => {
                let struck = self.strike(body(request).await?).await;
                Ok(json(StatusCode::CREATED, &struck.map_err(told)?))
            }
            (&Method::DELETE, ["faults"]) => Ok(ended(&self.clear().await)),
            (&Method::DELETE, ["faults", id]) => {
                let replicas = self.end(id).await.map_err(told)?;
                let ended = serde_json::json!({ "ended": [id], "replicas": replicas });
                Ok(json(StatusCode::OK, &ended))
            }
            (&Method::GET, ["policies"]) => Ok(json(StatusCode::OK, &self.policies().await)),
            (&Method::POST, ["policies"]) => {
                let took = self.set_policy(&body(request).await?).await.map_err(told)?;
                let took = serde_json::json!({ "replicas": took });
                Ok(json(StatusCode::OK, &took))
            }
            (&Method::GET, ["timeline"]) => {
                let after = after(request.uri().query())?;
                Ok(json(StatusCode::OK, &self.events(after).await))
            }
            _ => Err(ProblemReply::new(
                Code::NotFound,
                "here are /system and below it knobs, metrics, faults, policies and timeline",
            )),
        }
    }
}

impl System {
    /// What every process that answers has measured.
    async fn metrics(&self) -> Vec<Measured> {
        let replicas = self.replicas().await;
        let of = async |replica: &Replica| {
            let body = self.get(&replica.id, "/metrics").await.ok()?;
            Some(Measured {
                replica: replica.id.clone(),
                metrics: String::from_utf8_lossy(&body).into_owned(),
            })
        };
        let all = join_all(replicas.iter().map(of)).await;
        all.into_iter().flatten().collect()
    }
}

fn ended(ids: &[String]) -> Response {
    json(StatusCode::OK, &serde_json::json!({ "ended": ids }))
}

/// `?after=`, in microseconds.
fn after(query: Option<&str>) -> Result<Timestamp, ProblemReply> {
    let given = query.and_then(|query| query.strip_prefix("after="));
    match given.map(str::parse) {
        None => Ok(Timestamp::default()),
        Some(Ok(micros)) => Ok(Timestamp(micros)),
        Some(Err(_)) => {
            let text = "after is a moment: microseconds since 1970, such as an event's 'at'";
            Err(ProblemReply::new(Code::Invalid, text))
        }
    }
}

fn told(error: ClusterError) -> ProblemReply {
    web::problem(&error)
}
