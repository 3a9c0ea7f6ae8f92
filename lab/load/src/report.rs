//! What a run has shown, for programs; [`Report::to_text`] is for people.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::arrivals::Process;
use crate::cost::Usage;
use crate::keys::Popularity;
use crate::plan::{Plan, Protocol};
use crate::recorder::{Kind, Recorder};
use crate::timeline::Second;
use crate::verdict::{Facts, Verdict};

/// A finished run. Every request that was due is answered, failed or not sent, and in one count.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What was asked for.
    pub setting: Setting,
    /// When it started: microseconds since the Unix epoch.
    pub started_at: i64,
    /// From the start to the last answer, or the end of the schedule if that is later, in seconds.
    pub elapsed_s: f64,
    /// Whether it was ended before its time.
    pub ended_early: bool,
    /// Requests that were due.
    pub scheduled: u64,
    /// Requests that were sent.
    pub sent: u64,
    /// Answers that were read to their end, whatever their status.
    pub answered: u64,
    /// Answers below 400 that came within the deadline, if there is one.
    pub good: u64,
    /// Requests that were due and never sent.
    pub not_sent: NotSent,
    /// Requests that were sent, or meant to be, and have no answer.
    pub errors: Errors,
    /// Answers by the class of their status.
    pub statuses: Statuses,
    /// The rate that was wanted and what became of it.
    pub rate: Achieved,
    /// From the scheduled moment to the end of the answer; or to the timeout, or to the end of the
    /// run, where there was no answer before.
    pub latency: Times,
    /// From sending to the end of the answer; answers only.
    pub service_time: Times,
    /// From the moment that was due to a free connection.
    pub wait: Times,
    /// Content that was sent, in bytes.
    pub bytes_sent: u64,
    /// Content that was received, in bytes.
    pub bytes_received: u64,
    /// Connections that were opened.
    pub connections_opened: u64,
    /// How the load generator fared itself.
    pub generator: Generator,
    /// Each second of the run.
    pub timeline: Vec<Second>,
    /// What the figures are worth.
    pub verdict: Verdict,
}

/// What a run was asked to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// The first target.
    pub url: String,
    /// How many targets there are.
    pub targets: usize,
    /// How often each is asked.
    pub popularity: Popularity,
    /// The method.
    pub method: String,
    /// What was spoken.
    pub protocol: Protocol,
    /// Connections kept open.
    pub connections: usize,
    /// Requests at once on a connection.
    pub streams: usize,
    /// How many could wait for a connection.
    pub queue: usize,
    /// How requests were spread.
    pub arrivals: Process,
    /// Decides every random choice.
    pub seed: u64,
    /// How long an answer was waited for, in milliseconds.
    pub timeout_ms: u64,
}

/// Requests that were due and never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NotSent {
    /// They found the queue full.
    pub queue_full: u64,
    /// They still waited for a connection when the run ended.
    pub at_the_end: u64,
}

/// Requests without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Errors {
    /// All of them.
    pub total: u64,
    /// No connection could be made; these alone were not sent.
    pub connect: Failure,
    /// No whole answer within the timeout.
    pub timeout: Failure,
    /// The connection broke before the answer's end.
    pub closed: Failure,
    /// The answer was not HTTP, or not the HTTP that was asked for.
    pub protocol: Failure,
    /// They were in flight when the run ended.
    pub unfinished: u64,
}

/// One kind of error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// How many.
    pub count: u64,
    /// The first one, in words.
    pub example: Option<String>,
}

/// Answers by the class of their status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Statuses {
    #[serde(rename = "1xx")]
    pub informational: u64,
    #[serde(rename = "2xx")]
    pub success: u64,
    #[serde(rename = "3xx")]
    pub redirection: u64,
    #[serde(rename = "4xx")]
    pub client_error: u64,
    #[serde(rename = "5xx")]
    pub server_error: u64,
}

/// Requests per second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Achieved {
    /// Due, over the time of the schedule.
    pub wanted: f64,
    /// Answered, over the whole time.
    pub achieved: f64,
}

/// A distribution of times, in milliseconds; all zero when there were none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Times {
    /// How many times were taken.
    pub count: u64,
    /// The shortest.
    pub min_ms: f64,
    /// The average.
    pub mean_ms: f64,
    /// Half are not longer.
    pub p50_ms: f64,
    /// 90 % are not longer.
    pub p90_ms: f64,
    /// 99 % are not longer.
    pub p99_ms: f64,
    /// 99.9 % are not longer.
    pub p99_9_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// Pairs of a quantile and its time, ever finer towards 1, for a chart.
    pub distribution: Vec<(f64, f64)>,
}

/// How the load generator fared itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Generator {
    /// How late it was with requests that were due.
    pub lag: Times,
    /// CPU time of its thread as a share of one core.
    pub cpu: f64,
    /// The share of the time in which its thread had work and no core, because others had them.
    pub starved: f64,
    /// CPU time of its thread per request that was due, in microseconds.
    pub cpu_us_per_request: f64,
}

/// What the recorder does not know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) started_at: i64,
    /// When the schedule ended, since the start.
    pub(crate) schedule: Duration,
    pub(crate) ended_early: bool,
    /// Of the generator's thread.
    pub(crate) usage: Usage,
}

impl Report {
    pub(crate) fn of(plan: &Plan, recorder: &Recorder, frame: Frame) -> Self {
        let counts = recorder.counts;
        let schedule_s = frame.schedule.as_secs_f64().max(1e-9);
        let elapsed_s = schedule_s.max(recorder.last_end as f64 / 1e9);
        let mut report = Self {
            setting: Setting::of(plan),
            started_at: frame.started_at,
            elapsed_s,
            ended_early: frame.ended_early,
            scheduled: counts.scheduled,
            sent: counts.sent,
            answered: counts.answered,
            good: counts.good,
            not_sent: NotSent {
                queue_full: counts.queue_full,
                at_the_end: counts.left + counts.waiting(),
            },
            errors: Errors::of(recorder),
            statuses: Statuses::of(counts.statuses),
            rate: Achieved {
                wanted: counts.scheduled as f64 / schedule_s,
                achieved: counts.answered as f64 / elapsed_s,
            },
            latency: Times::of(&recorder.latency),
            service_time: Times::of(&recorder.service),
            wait: Times::of(&recorder.wait),
            bytes_sent: counts.bytes_sent,
            bytes_received: counts.bytes_received,
            connections_opened: counts.opened,
            generator: Generator {
                lag: Times::of(&recorder.lag),
                cpu: frame.usage.cpu.as_secs_f64() / elapsed_s,
                starved: frame.usage.starved.as_secs_f64() / elapsed_s,
                cpu_us_per_request: frame.usage.cpu.as_secs_f64() * 1e6
                    / counts.scheduled.max(1) as f64,
            },
            timeline: recorder.timeline.all(counts.waiting()),
            verdict: Verdict::of(&Facts::default()),
        };
        report.verdict = Verdict::of(&report.facts());
        report
    }

    fn facts(&self) -> Facts {
        Facts {
            scheduled: self.scheduled,
            answered: self.answered,
            failed: self.errors.total,
            server_errors: self.statuses.server_error,
            queue_full: self.not_sent.queue_full,
            left: self.not_sent.at_the_end,
            connections: self.setting.connections,
            opened: self.connections_opened,
            wanted: self.rate.wanted,
            achieved: self.rate.achieved,
            latency_p99_ms: self.latency.p99_ms,
            wait_p99_ms: self.wait.p99_ms,
            lag_p99_ms: self.generator.lag.p99_ms,
            cpu: self.generator.cpu,
            starved: self.generator.starved,
        }
    }
}

impl Setting {
    fn of(plan: &Plan) -> Self {
        let streams = match plan.protocol {
            Protocol::Http1 => 1,
            Protocol::Http2 => plan.streams,
        };
        Self {
            url: plan
                .targets
                .first()
                .map(|target| target.uri().to_string())
                .unwrap_or_default(),
            targets: plan.targets.len(),
            popularity: plan.popularity,
            method: plan.method.to_string(),
            protocol: plan.protocol,
            connections: plan.connections,
            streams,
            queue: plan.queue,
            arrivals: plan.process,
            seed: plan.seed,
            timeout_ms: u64::try_from(plan.timeout.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl Errors {
    fn of(recorder: &Recorder) -> Self {
        let counts = recorder.counts;
        let of = |kind: Kind| Failure {
            count: counts.errors[kind as usize],
            example: recorder.examples[kind as usize].clone(),
        };
        Self {
            total: counts.errors.iter().sum::<u64>() + counts.unfinished,
            connect: of(Kind::Connect),
            timeout: of(Kind::Timeout),
            closed: of(Kind::Closed),
            protocol: of(Kind::Protocol),
            unfinished: counts.unfinished,
        }
    }

    /// Each kind with its name.
    pub(crate) fn kinds(&self) -> [(&'static str, &Failure); 4] {
        [
            ("connect", &self.connect),
            ("timeout", &self.timeout),
            ("closed", &self.closed),
            ("protocol", &self.protocol),
        ]
    }
}

impl Statuses {
    fn of(counts: [u64; 5]) -> Self {
        let [
            informational,
            success,
            redirection,
            client_error,
            server_error,
        ] = counts;
        Self {
            informational,
            success,
            redirection,
            client_error,
            server_error,
        }
    }
}

impl Times {
    fn of(histogram: &Histogram<u64>) -> Self {
        let ms = |micros: u64| micros as f64 / 1e3;
        let at = |quantile| ms(histogram.value_at_quantile(quantile).min(histogram.max()));
        let distribution = match histogram.is_empty() {
            true => Vec::new(),
            false => histogram
                .iter_quantiles(2)
                .map(|step| (step.quantile_iterated_to(), ms(step.value_iterated_to())))
                .collect(),
        };
        Self {
            count: histogram.len(),
            min_ms: ms(histogram.min()),
            mean_ms: histogram.mean() / 1e3,
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p99_9_ms: at(0.999),
            max_ms: ms(histogram.max()),
            distribution,
        }
    }
}
