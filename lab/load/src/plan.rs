//! What a run is to do, with a bound on everything.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde::Serialize;

use crate::arrivals::Process;
use crate::keys::Popularity;
use crate::rate::{Profile, RATE_MAX};
use crate::target::Target;

/// The most connections of one run.
pub const CONNECTIONS_MAX: usize = 10_000;
/// The most requests at once on one HTTP/2 connection.
pub const STREAMS_MAX: usize = 1_000;
/// The most requests that may wait for a connection, per host.
pub const QUEUE_MAX: usize = 1_000_000;
/// The longest run.
pub const DURATION_MAX: Duration = Duration::from_secs(24 * 3_600);
/// The most targets of one run.
const TARGETS_MAX: usize = 1_000_000;
/// The longest that an answer may be waited for.
const TIMEOUT_MAX: Duration = Duration::from_secs(3_600);
/// The largest body that is sent.
const BODY_BYTES_MAX: usize = 16 << 20;
const EXPONENT_MAX: f64 = 10.0;

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Protocol {
    /// HTTP/1.1 with keep-alive, one request at a time on a connection.
    #[serde(rename = "HTTP/1.1")]
    Http1,
    /// HTTP/2 with prior knowledge, several requests at a time on a connection.
    #[serde(rename = "HTTP/2")]
    Http2,
}

/// A run of load. [`Plan::new`] gives what is usual; set the rest.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is asked.
    pub targets: Vec<Target>,
    /// How often each target is asked.
    pub popularity: Popularity,
    /// The method of every request.
    pub method: Method,
    /// Headers of every request.
    pub headers: HeaderMap,
    /// The content of every request.
    pub body: Bytes,
    /// Puts a number in place of each `{n}` in the content: counted up from this, one per request,
    /// so that every content is another.
    pub numbered_from: Option<u64>,
    /// How many requests a second, over time.
    pub profile: Profile,
    /// How they are spread.
    pub process: Process,
    /// Decides every random choice.
    pub seed: u64,
    /// When the schedule ends.
    pub duration: Option<Duration>,
    /// After how many requests the schedule ends.
    pub requests: Option<u64>,
    /// Connections kept open; shared out when there are several hosts.
    pub connections: usize,
    /// What is spoken.
    pub protocol: Protocol,
    /// Requests at once on one HTTP/2 connection.
    pub streams: usize,
    /// How many requests may wait for a connection, per host.
    pub queue: usize,
    /// How long an answer is waited for, from sending on.
    pub timeout: Duration,
    /// An answer later than this, from the scheduled moment on, is not a good one.
    pub deadline: Option<Duration>,
}

/// Why a plan cannot be run. The text says what to do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// There is nothing to ask.
    #[error("there is no target; name a URL")]
    NoTarget,
    /// A setting is out of its range.
    #[error("{what} must be {range}")]
    Range {
        /// The setting.
        what: &'static str,
        /// What it may be.
        range: String,
    },
    /// Nothing ends the run.
    #[error("nothing ends the run; set a duration or a number of requests")]
    Endless,
}

impl Plan {
    /// 50 GETs a second for 10 s, evenly, on 64 connections of HTTP/1.1.
    #[must_use]
    pub fn new(targets: Vec<Target>) -> Self {
        Self {
            targets,
            popularity: Popularity::Uniform,
            method: Method::GET,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            numbered_from: None,
            profile: Profile::constant(50.0),
            process: Process::Constant,
            seed: 0,
            duration: Some(Duration::from_secs(10)),
            requests: None,
            connections: 64,
            protocol: Protocol::Http1,
            streams: 32,
            queue: 100_000,
            timeout: Duration::from_secs(10),
            deadline: None,
        }
    }

    /// Whether it can be run.
    pub fn check(&self) -> Result<(), PlanError> {
        if self.targets.is_empty() {
            return Err(PlanError::NoTarget);
        }
        if self.duration.is_none() && self.requests.is_none() {
            return Err(PlanError::Endless);
        }
        within("the number of targets", self.targets.len(), TARGETS_MAX)?;
        within(
            "the number of connections",
            self.connections,
            CONNECTIONS_MAX,
        )?;
        within("the number of streams", self.streams, STREAMS_MAX)?;
        within("the queue", self.queue, QUEUE_MAX)?;
        if self.body.len() > BODY_BYTES_MAX {
            return Err(range("the body", format!("at most {BODY_BYTES_MAX} bytes")));
        }
        if self.requests == Some(0) {
            return Err(range("the number of requests", "at least 1".to_owned()));
        }
        if !self.profile.is_sound() {
            return Err(range(
                "the rate",
                format!("above 0 and at most {RATE_MAX} a second"),
            ));
        }
        if let Popularity::Zipf { exponent } = self.popularity
            && !(0.0..=EXPONENT_MAX).contains(&exponent)
        {
            return Err(range(
                "the exponent of Zipf",
                format!("from 0 to {EXPONENT_MAX}"),
            ));
        }
        lasting("the duration", self.duration, DURATION_MAX)?;
        lasting("the deadline", self.deadline, TIMEOUT_MAX)?;
        lasting("the timeout", Some(self.timeout), TIMEOUT_MAX)
    }
}

fn range(what: &'static str, range: String) -> PlanError {
    PlanError::Range { what, range }
}

fn within(what: &'static str, value: usize, max: usize) -> Result<(), PlanError> {
    match (1..=max).contains(&value) {
        true => Ok(()),
        false => Err(range(what, format!("from 1 to {max}"))),
    }
}

fn lasting(what: &'static str, value: Option<Duration>, max: Duration) -> Result<(), PlanError> {
    match value {
        Some(value) if value.is_zero() || value > max => Err(range(
            what,
            format!("above 0 and at most {} s", max.as_secs()),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan::new(vec![Target::parse("http://127.0.0.1:1/").unwrap()])
    }

    #[test]
    fn what_is_usual_can_be_run() {
        assert_eq!(plan().check(), Ok(()));
    }

    #[test]
    fn every_setting_has_a_bound() {
        let faults: [fn(&mut Plan); 12] = [
            |p| p.targets.clear(),
            |p| p.connections = 0,
            |p| p.connections = CONNECTIONS_MAX + 1,
            |p| p.streams = 0,
            |p| p.queue = QUEUE_MAX + 1,
            |p| p.requests = Some(0),
            |p| p.duration = None,
            |p| p.duration = Some(DURATION_MAX + Duration::from_secs(1)),
            |p| p.timeout = Duration::ZERO,
            |p| p.deadline = Some(Duration::ZERO),
            |p| p.profile = Profile::constant(0.0),
            |p| p.popularity = Popularity::Zipf { exponent: f64::NAN },
        ];
        for (fault, number) in faults.iter().zip(1..) {
            let mut plan = plan();
            fault(&mut plan);
            let error = plan.check().expect_err("a fault was planted").to_string();
            assert!(
                error.contains("must be") || error.contains("set a") || error.contains("name a"),
                "{number}: {error}"
            );
        }
    }
}
