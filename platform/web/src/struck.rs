//! The seam of faults at the entry of a service: requests that are late, fail or are lost.

use faults::{Effect, Facts, Faults, Hit, Seam};
use kernel::Code;

use crate::{ProblemReply, Request};

/// The faults that strike `request` as it enters `service`. At rest: one relaxed load.
#[must_use]
pub fn struck(faults: &Faults, service: &str, request: &Request) -> Vec<Hit> {
    if !faults.any(Seam::Request) {
        return Vec::new();
    }
    let facts = Facts {
        service: Some(service),
        method: Some(request.uri().path()),
        ..Facts::default()
    };
    faults.hits(Seam::Request, facts)
}

/// Lets a request suffer `hits`. Answers what it is refused with; nothing if it was only late.
///
/// One that is lost hears nothing until its caller gives up; no longer than the fault lasts.
pub async fn suffer(hits: &[Hit]) -> Option<ProblemReply> {
    for hit in hits {
        let text = |what| format!("fault '{}' was injected on purpose: {what}", hit.id());
        match hit.effect() {
            Effect::Error { code } => {
                return Some(ProblemReply::new(code, text("this request fails")));
            }
            Effect::Drop => {
                hit.ended().await;
                let detail = text("this request was lost");
                return Some(ProblemReply::new(Code::Unavailable, detail));
            }
            _ => hit.hold_up().await,
        }
    }
    None
}
