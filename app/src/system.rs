//! The system as JSON, for the command line: `GET /system`, `GET /system/metrics`, `GET` and
//! `POST /system/knobs`.

use std::sync::Arc;

use console::{About, Cluster, ClusterError, Replica};
use futures_util::future::join_all;
use http::{Method, StatusCode};
use kernel::Code;
use serde::{Deserialize, Serialize};
use web::{Handler, ProblemReply, Request, Response};

use crate::admin::{KnobSet, body};
use crate::cluster::System;
use crate::internal::json;

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
        match (&method, path.as_str()) {
            (&Method::GET, "/system") => {
                let status = Status {
                    about: self.about(),
                    replicas: self.replicas().await,
                    gateway: self.host.public.get().map(|addr| format!("http://{addr}")),
                };
                Ok(json(StatusCode::OK, &status))
            }
            (&Method::GET, "/system/metrics") => Ok(json(StatusCode::OK, &self.metrics().await)),
            (&Method::GET, "/system/knobs") => {
                Ok(json(StatusCode::OK, &self.knobs().await.map_err(told)?))
            }
            (&Method::POST, "/system/knobs") => {
                let set: KnobSet = body(request).await?;
                let done = self.set_knob(&set.service, &set.name, &set.value).await;
                Ok(json(StatusCode::OK, &done.map_err(told)?))
            }
            _ => Err(ProblemReply::new(
                Code::NotFound,
                "here are /system, /system/metrics and /system/knobs",
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

fn told(error: ClusterError) -> ProblemReply {
    web::problem(&error)
}
