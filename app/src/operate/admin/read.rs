//! What can be read of a process.

use gateway::Gateway;
use http::{Method, StatusCode};
use kernel::{Code, Timestamp};
use serde::Serialize;
use telemetry::TraceFilter;
use web::{ProblemReply, Request, Response};

use super::{Admin, Answer, KnobView, Query};
use crate::shell::bodies::json;

const TRACES_MAX: usize = 200;

/// Everything that administration offers, for `GET /admin` and for hints.
const OFFERS: &[(&str, &str, &str)] = &[
    (
        "GET",
        "/admin/process",
        "which process this is, and what runs in it",
    ),
    ("GET", "/admin/knobs", "every design knob with its setting"),
    ("POST", "/admin/knobs", "turn one: {service, name, value}"),
    (
        "GET",
        "/admin/edges",
        "every edge: policy, breaker, rates, faults, endpoints",
    ),
    (
        "POST",
        "/admin/policies",
        "change one edge: {caller, callee, policy}",
    ),
    ("GET", "/admin/place", "what faults can strike here"),
    (
        "GET",
        "/admin/faults",
        "the faults at work, with what is left of them",
    ),
    (
        "POST",
        "/admin/faults",
        "begin a fault: {seam, effect, ttl_ms, ...}; PUT /admin/faults/ID names it",
    ),
    (
        "DELETE",
        "/admin/faults/ID",
        "end a fault before its time; without ID, all",
    ),
    ("GET", "/admin/routes", "where the gateway sends requests"),
    (
        "GET",
        "/admin/upstreams",
        "the replicas behind the gateway, and why one is out",
    ),
    (
        "GET",
        "/admin/timeline",
        "what happened when; ?after=NUMBER for what is newer",
    ),
    (
        "GET",
        "/admin/traces",
        "traces; ?service=, ?failed=true, ?slowest=true, ?limit=",
    ),
    ("GET", "/admin/traces/ID", "one trace"),
    (
        "GET",
        "/admin/dead-letters",
        "events that a consumer could not apply; ?consumer=",
    ),
    (
        "POST",
        "/admin/dead-letters",
        "try them again: {consumer, event_id?}",
    ),
];

#[derive(Serialize)]
struct Offer {
    method: &'static str,
    path: &'static str,
    what: &'static str,
}

#[derive(Serialize)]
struct Process<'a> {
    id: &'a str,
    pid: u32,
    version: &'static str,
    state: &'static str,
    started: Timestamp,
    services: Vec<&'static str>,
}

pub(super) fn index() -> Response {
    let offers: Vec<Offer> = OFFERS
        .iter()
        .map(|&(method, path, what)| Offer { method, path, what })
        .collect();
    json(StatusCode::OK, &offers)
}

pub(super) fn unknown(method: &Method, path: &str) -> ProblemReply {
    let asked = format!("/{path}");
    let near = kernel::nearest(&asked, OFFERS.iter().map(|(_, path, _)| *path));
    let hint = near.first().map_or_else(
        || "GET /admin lists what there is".to_owned(),
        |near| format!("did you mean {near}?"),
    );
    ProblemReply::new(
        Code::NotFound,
        format!("there is no {method} {asked}; {hint}"),
    )
}

impl Admin {
    pub(super) fn process(&self) -> Response {
        let process = Process {
            id: &self.host.id,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION"),
            state: self.host.phase.name(),
            started: self.host.started,
            services: self.services.iter().map(|s| s.name).collect(),
        };
        json(StatusCode::OK, &process)
    }

    /// Every knob of the services in this process.
    pub(crate) fn knobs(&self) -> Vec<KnobView> {
        let of = |service: &super::Hosted| {
            let list = service.knobs.list();
            let name = service.name;
            list.into_iter().map(move |knob| view(name, &knob))
        };
        self.services.iter().flat_map(of).collect()
    }

    /// Where the gateway of this process sends requests; nothing when there is none.
    pub(super) fn routes(&self) -> Response {
        let routes = self.host.front.get().map(Gateway::routes);
        json(StatusCode::OK, &routes.unwrap_or_default())
    }

    /// The replicas behind the gateway of this process, and why one is out.
    pub(super) fn upstreams(&self) -> Response {
        let upstreams = self.host.front.get().map(Gateway::upstreams);
        json(StatusCode::OK, &upstreams.unwrap_or_default())
    }

    pub(super) fn timeline(&self, query: &Query) -> Answer {
        let after = match query.get("after") {
            None => 0,
            Some(text) => text.parse().map_err(|_| wrong("after", "is a number"))?,
        };
        Ok(json(
            StatusCode::OK,
            &self.host.telemetry.timeline.since(after),
        ))
    }

    pub(super) fn traces(&self, query: &Query) -> Answer {
        let flag = |name: &str| query.get(name).is_some_and(|v| v == "true");
        let limit = match query.get("limit") {
            None => 50,
            Some(text) => text.parse().map_err(|_| wrong("limit", "is a number"))?,
        };
        let filter = TraceFilter {
            service: query.get("service").cloned(),
            failed: flag("failed"),
            slowest: flag("slowest"),
        };
        let traces = self
            .host
            .telemetry
            .traces
            .list(&filter, limit.min(TRACES_MAX));
        Ok(json(StatusCode::OK, &traces))
    }

    pub(super) fn trace(&self, id: &str) -> Answer {
        let id = u128::from_str_radix(id, 16).map_err(|_| wrong("id", "is 32 hex digits"))?;
        let spans = self.host.telemetry.traces.trace(id);
        let spans: Vec<_> = spans.iter().map(|span| &**span).collect();
        Ok(json(StatusCode::OK, &spans))
    }
}

/// A knob as the console and the command line see it.
pub(crate) fn view(service: &str, knob: &kernel::KnobInfo) -> KnobView {
    KnobView {
        service: service.to_owned(),
        name: knob.name.to_owned(),
        value: knob.value.to_owned(),
        default: knob.default.to_owned(),
        allowed: knob.allowed.iter().map(|a| (*a).to_owned()).collect(),
        trades: knob.trades.to_owned(),
        mixed: false,
    }
}

pub(super) fn wrong(field: &str, what: &str) -> ProblemReply {
    let problem = kernel::Problem::new(Code::BadRequest, format!("{field} {what}"));
    ProblemReply(Box::new(problem.with_field(field, what)))
}

pub(super) fn query(request: &Request) -> Query {
    let text = request.uri().query().unwrap_or_default();
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}
