//! What can be changed in a process. Each change is an event on the time axis.

use http::StatusCode;
use kernel::Code;
use mesh::Policy;
use serde::{Deserialize, Serialize};
use web::ProblemReply;

use super::read::view;
use super::{Admin, Answer, KnobSet, KnobView, problem};
use crate::shell::bodies::json;

/// A policy for one edge.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetPolicy {
    pub(crate) caller: String,
    pub(crate) callee: String,
    pub(crate) policy: Policy,
}

impl Admin {
    /// Sets a knob of a service in this process, to be kept and followed by its replicas.
    pub(crate) async fn turn(&self, set: KnobSet) -> Result<KnobView, ProblemReply> {
        let KnobSet {
            service,
            name,
            value,
        } = set;
        let of = self
            .services
            .iter()
            .find(|s| s.name == service)
            .ok_or_else(|| {
                let known = self.services().join(", ");
                let text = format!("no service '{service}' runs here; there are {known}");
                ProblemReply::new(Code::NotFound, text)
            })?;
        let before = of.set_knob(&name, &value).await.map_err(problem)?;
        of.note_knob(&self.host.telemetry.timeline, &before, &value);
        let now = of
            .knobs
            .list()
            .into_iter()
            .find(|k| k.name == before.name)
            .unwrap_or(before);
        Ok(view(of.name, &now))
    }

    pub(super) fn set_policy(&self, set: SetPolicy) -> Answer {
        let SetPolicy {
            caller,
            callee,
            policy,
        } = set;
        self.host
            .mesh
            .set_policy(&caller, &callee, policy.clone())
            .map_err(problem)?;
        Ok(json(StatusCode::OK, &policy))
    }
}
