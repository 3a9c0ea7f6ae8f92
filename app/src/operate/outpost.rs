//! The faults of a proxy that stands alone, in the words of a whole system: `/system/faults`.

use std::sync::Arc;

use console::FaultAt;
use faults::{FaultSpec, FaultView, Faults, Place, Seam, unplaced};
use http::{Method, StatusCode};
use kernel::{Code, Ctx, Tasks};
use tokio::net::TcpListener;
use web::{Ingress, Keys, ProblemReply, Request, Response, Server};

use crate::operate::faulty;
use crate::shell::bodies::{body, json};

/// A proxy that stands alone.
#[derive(Debug)]
pub(crate) struct Outpost {
    place: Place,
    faults: Faults,
}

impl Outpost {
    /// The one called `name`, struck by `faults`.
    pub(crate) fn new(name: &str, faults: Faults) -> Self {
        let place = Place {
            replica: name.to_owned(),
            services: vec![name.to_owned()],
            proxied: true,
            ..Place::default()
        };
        Self { place, faults }
    }

    /// Takes faults on `listener`, which is on loopback, until `tasks` end.
    pub(crate) fn serve(self, listener: TcpListener, ctx: &Ctx, tasks: &Tasks) {
        let outpost = Arc::new(self);
        let handler = web::from_fn(move |request| {
            let outpost = Arc::clone(&outpost);
            async move {
                let answer = outpost.answer(request).await;
                answer.unwrap_or_else(ProblemReply::into_web)
            }
        });
        let server = Server::new(handler, Ingress::new(Keys::none(), &*ctx.random));
        tasks.spawn(web::serve(listener, server, tasks.clone()));
    }

    async fn answer(&self, request: Request) -> Result<Response, ProblemReply> {
        web::require(&web::Meta::of(&request).caller, web::ADMIN)?;
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (&method, steps.as_slice()) {
            (&Method::GET, ["livez"]) => Ok(json(StatusCode::OK, &self.place)),
            (&Method::GET, ["system", "faults"]) => {
                let faults: Vec<FaultAt> =
                    self.faults.list().into_iter().map(|f| self.at(f)).collect();
                Ok(json(StatusCode::OK, &faults))
            }
            (&Method::POST, ["system", "faults"]) => {
                let fault = self.begin(body(request).await?)?;
                Ok(json(StatusCode::CREATED, &self.at(fault)))
            }
            (&Method::DELETE, ["system", "faults"]) => Ok(ended(&self.faults.clear())),
            (&Method::DELETE, ["system", "faults", id]) => {
                if self.faults.end(id) {
                    return Ok(ended(&[Arc::from(*id)]));
                }
                let known = self.faults.list();
                let known: Vec<&str> = known.iter().map(|fault| &*fault.id).collect();
                let text = faulty::unknown(id, &known);
                Err(ProblemReply::new(Code::NotFound, text))
            }
            _ => {
                let text = "here is /system/faults; a proxy has nothing else to tell";
                Err(ProblemReply::new(Code::NotFound, text))
            }
        }
    }

    fn begin(&self, spec: FaultSpec) -> Result<FaultView, ProblemReply> {
        if spec.seam != Seam::Socket {
            let text = format!("a proxy has the seam 'socket' alone, not '{}'", spec.seam);
            return Err(ProblemReply::new(Code::Invalid, text));
        }
        if !self.place.takes(&spec) {
            let places = std::slice::from_ref(&self.place);
            return Err(web::problem(&unplaced(&spec, places)));
        }
        self.faults
            .inject(spec)
            .map_err(|error| web::problem(&error))
    }

    fn at(&self, fault: FaultView) -> FaultAt {
        FaultAt {
            fault,
            replicas: vec![self.place.replica.clone()],
            missed: Vec::new(),
        }
    }
}

fn ended(ids: &[Arc<str>]) -> Response {
    json(StatusCode::OK, &serde_json::json!({ "ended": ids }))
}
