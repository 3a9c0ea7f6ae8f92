//! The faults of this process: on the time axis, ended in time, and enacted where a process as a
//! whole is struck.

mod process;
pub(crate) mod thaw;

use std::path::Path;

use faults::{Change, Changed, FaultSpec, Seam};
use telemetry::{EventKind, Timeline};

use crate::shell::host::Host;

pub(crate) use process::{Faulty, Victim};

/// Keeps the faults of `host` until it ends: tells of them, and ends them in time. `exe` is this
/// program.
pub(crate) fn keep(host: &Host, exe: &Path) -> Faulty {
    let faulty = Faulty::of(host, exe);
    let (timeline, stopped) = (host.telemetry.timeline.clone(), faulty.stopped.clone());
    host.faults.listen(move |change| {
        note(&timeline, change);
        if change.fault.spec.seam == Seam::Process && change.kind != Changed::Begun {
            stopped.release(&change.fault.id);
        }
    });
    host.faults.keep(&host.tasks);
    faulty
}

/// Puts the beginning or the end of a fault on the time axis.
fn note(timeline: &Timeline, change: &Change) {
    let fault = &change.fault;
    let (id, spec) = (&*fault.id, &fault.spec);
    let text = match change.kind {
        Changed::Begun => format!("fault: {spec}, for {} ms", spec.ttl_ms),
        Changed::Expired => format!("fault has ended: {spec}"),
        Changed::Spent => format!("fault has struck as often as it may: {spec}"),
        Changed::Ended => format!("fault was ended: {spec}"),
    };
    tracing::info!(fault = id, hits = fault.hits, "{text}");
    let (until, hits) = (fault.until.micros().to_string(), fault.hits.to_string());
    let mut attributes = vec![
        ("fault", id),
        ("change", change.kind.name()),
        ("seam", spec.seam.name()),
        ("effect", spec.effect.name()),
        ("until", until.as_str()),
        ("hits", hits.as_str()),
    ];
    attributes.extend(selected(spec));
    timeline.record(EventKind::Fault, text, &attributes);
}

/// What the fault selects, by the names of its fields.
fn selected(spec: &FaultSpec) -> impl Iterator<Item = (&'static str, &str)> {
    let selector = &spec.selector;
    let fields = [
        ("service", &selector.service),
        ("replica", &selector.replica),
        ("caller", &selector.caller),
        ("method", &selector.method),
    ];
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
}

/// What is said of a fault that is not there.
pub(crate) fn unknown(id: &str, known: &[&str]) -> String {
    let hint = match (kernel::nearest(id, known.iter().copied()).first(), known) {
        (Some(near), _) => format!("did you mean {near}?"),
        (None, []) => "there is none; perhaps it has ended".to_owned(),
        (None, known) => format!("there are {}; perhaps it has ended", known.join(", ")),
    };
    format!("no fault is called '{id}'; {hint}")
}
