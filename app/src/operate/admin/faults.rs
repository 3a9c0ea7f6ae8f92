//! Faults of one process: what can be struck here, beginning and ending them.

use faults::{FaultError, FaultSpec, FaultView, Place, Seam, unplaced};
use http::StatusCode;
use kernel::Code;
use web::ProblemReply;

use super::{Admin, Answer, problem};
use crate::operate::faulty::{self, Victim};
use crate::shell::bodies::json;
use crate::shell::names::CONSOLE;

impl Admin {
    /// What can be struck in this process.
    pub(crate) fn place(&self) -> Place {
        let host = &self.host;
        let mut services: Vec<String> = self.services().into_iter().map(str::to_owned).collect();
        if host.role.runs(CONSOLE) {
            services.push(CONSOLE.to_owned());
        }
        let stores = self.services.iter().filter(|hosted| hosted.db.is_some());
        let edges = host.mesh.list().into_iter();
        Place {
            replica: host.id.clone(),
            stores: stores.map(|hosted| hosted.name.to_owned()).collect(),
            edges: edges
                .map(|edge| (edge.caller.to_string(), edge.callee.to_string()))
                .collect(),
            proxied: host.direct.get().is_some(),
            direct: host.direct.get().map(ToString::to_string),
            entries: services.clone(),
            services,
        }
    }

    pub(super) fn inject(&self, id: Option<&str>, spec: FaultSpec) -> Answer {
        let place = self.place();
        if !place.takes(&spec) {
            return Err(problem(unplaced(&spec, &[place])));
        }
        let fault = self.begin(id, spec).map_err(problem)?;
        Ok(json(StatusCode::CREATED, &fault))
    }

    /// Begins a fault in this process, whatever it selects.
    pub(crate) fn begin(&self, id: Option<&str>, spec: FaultSpec) -> Result<FaultView, FaultError> {
        let faults = &self.host.faults;
        let strikes_us = spec.seam == Seam::Process;
        let fault = match id {
            Some(id) => faults.inject_as(id, spec)?,
            None => faults.inject(spec)?,
        };
        if strikes_us {
            self.faulty.enact(&fault, &[Victim::this()])?;
        }
        Ok(fault)
    }

    /// Ends one fault, or all.
    pub(super) fn end_faults(&self, id: Option<&str>) -> Answer {
        let faults = &self.host.faults;
        let ended: Vec<String> = match id {
            None => faults.clear().iter().map(ToString::to_string).collect(),
            Some(id) if faults.end(id) => vec![id.to_owned()],
            Some(id) => return Err(no_such_fault(id, &faults.list())),
        };
        Ok(json(StatusCode::OK, &serde_json::json!({ "ended": ended })))
    }
}

fn no_such_fault(id: &str, faults: &[FaultView]) -> ProblemReply {
    let ids: Vec<&str> = faults.iter().map(|fault| &*fault.id).collect();
    ProblemReply::new(Code::NotFound, faulty::unknown(id, &ids))
}
