//! The system as JSON, for the command line: `GET /system`, `GET` and `POST /system/knobs`.

use std::sync::Arc;

use console::{About, Cluster, ClusterError, Replica};
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
                };
                Ok(json(StatusCode::OK, &status))
            }
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
                "here are /system and /system/knobs",
            )),
        }
    }
}

fn told(error: ClusterError) -> ProblemReply {
    web::problem(&error)
}
