//! What an edge does about slow, failing and crowded callees. Plain data, changeable at run time.

use kernel::{Code, Coded, FieldError};
use serde::{Deserialize, Serialize};

/// The policy of one edge. Fields that are left out keep their default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The longest that a call may take; the callee sees the earlier of this and the caller's own.
    pub timeout_ms: u64,
    /// Sending again.
    pub retry: RetryPolicy,
    /// Holding back when too much fails.
    pub breaker: BreakerPolicy,
    /// Bounding what is in flight.
    pub bulkhead: BulkheadPolicy,
}

/// When and how often a call is sent again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryPolicy {
    /// How often a call is sent at most, the first time included; 1 turns retries off.
    pub attempts: u32,
    /// The longest that one attempt may take before it counts as failed and the next one is due; 0
    /// lets it take as long as the whole call may, so that what hangs is not sent again.
    pub attempt_timeout_ms: u64,
    /// The first wait is between 0 and this; each further wait may be twice as long.
    pub base_ms: u64,
    /// No wait is longer, unless the callee asked for it.
    pub cap_ms: u64,
    /// How many retries the edge may make per hundred calls.
    pub budget_percent: u32,
    /// How many retries per second it may make besides, so that a quiet edge can retry too.
    pub budget_min_per_s: u32,
}

/// When the breaker opens, and how it closes again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerPolicy {
    /// Whether there is one.
    pub on: bool,
    /// Over how long the error rate is taken.
    pub window_ms: u64,
    /// Below this many calls in the window it never opens.
    pub min_volume: u32,
    /// The share of failed calls that opens it, above 0 and up to 1.
    pub error_rate: f64,
    /// How long it stays open before the first probe.
    pub open_ms: u64,
    /// How many probes may be under way at once, and how many must succeed to close it.
    pub half_open_probes: u32,
    /// A probe that has not come back after this long no longer counts as under way.
    pub probe_lease_ms: u64,
}

/// How many calls may be in flight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BulkheadPolicy {
    /// At most this many calls are in flight.
    pub max_in_flight: u32,
    /// At most this many more wait for their turn; the rest is refused at once.
    pub max_waiting: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            timeout_ms: 5_000,
            retry: RetryPolicy::default(),
            breaker: BreakerPolicy::default(),
            bulkhead: BulkheadPolicy::default(),
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            attempt_timeout_ms: 0,
            base_ms: 25,
            cap_ms: 1_000,
            budget_percent: 20,
            budget_min_per_s: 5,
        }
    }
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            on: true,
            window_ms: 10_000,
            min_volume: 20,
            error_rate: 0.5,
            open_ms: 2_000,
            half_open_probes: 3,
            probe_lease_ms: 5_000,
        }
    }
}

impl Default for BulkheadPolicy {
    fn default() -> Self {
        Self {
            max_in_flight: 512,
            max_waiting: 512,
        }
    }
}

/// A policy that cannot be: every field that is wrong, with what it may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy is not valid: {}", list(.0))]
pub struct PolicyError(pub Vec<FieldError>);

fn list(errors: &[FieldError]) -> String {
    let texts: Vec<String> = errors
        .iter()
        .map(|e| format!("{} {}", e.pointer, e.detail))
        .collect();
    texts.join("; ")
}

impl Coded for PolicyError {
    fn code(&self) -> Code {
        Code::Invalid
    }
}

/// The longest time that any field may name: an hour.
const TIME_MS_MAX: u64 = 3_600_000;
const CALLS_MAX: u64 = 1_000_000;

impl Policy {
    /// A policy without retries, breaker and waiting: calls only have a timeout.
    #[must_use]
    pub fn bare() -> Self {
        Self {
            timeout_ms: 5_000,
            retry: RetryPolicy {
                attempts: 1,
                ..RetryPolicy::default()
            },
            breaker: BreakerPolicy {
                on: false,
                ..BreakerPolicy::default()
            },
            bulkhead: BulkheadPolicy {
                max_in_flight: 1_000_000,
                max_waiting: 0,
            },
        }
    }

    /// Refuses values that make no sense, naming each.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let (retry, breaker) = (&self.retry, &self.breaker);
        let ranges = [
            ("/timeout_ms", self.timeout_ms, 1, TIME_MS_MAX),
            ("/retry/attempts", retry.attempts.into(), 1, 10),
            (
                "/retry/attempt_timeout_ms",
                retry.attempt_timeout_ms,
                0,
                TIME_MS_MAX,
            ),
            ("/retry/base_ms", retry.base_ms, 1, TIME_MS_MAX),
            ("/retry/cap_ms", retry.cap_ms, retry.base_ms, TIME_MS_MAX),
            ("/retry/budget_percent", retry.budget_percent.into(), 0, 100),
            (
                "/retry/budget_min_per_s",
                retry.budget_min_per_s.into(),
                0,
                10_000,
            ),
            ("/breaker/window_ms", breaker.window_ms, 100, TIME_MS_MAX),
            (
                "/breaker/min_volume",
                breaker.min_volume.into(),
                1,
                CALLS_MAX,
            ),
            ("/breaker/open_ms", breaker.open_ms, 1, TIME_MS_MAX),
            (
                "/breaker/half_open_probes",
                breaker.half_open_probes.into(),
                1,
                1_000,
            ),
            (
                "/breaker/probe_lease_ms",
                breaker.probe_lease_ms,
                1,
                TIME_MS_MAX,
            ),
            (
                "/bulkhead/max_in_flight",
                self.bulkhead.max_in_flight.into(),
                1,
                CALLS_MAX,
            ),
            (
                "/bulkhead/max_waiting",
                self.bulkhead.max_waiting.into(),
                0,
                CALLS_MAX,
            ),
        ];
        let mut errors: Vec<FieldError> = ranges
            .into_iter()
            .filter(|(_, value, low, high)| value < low || value > high)
            .map(|(at, value, low, high)| {
                field(at, format!("is {value}; it must be {low} to {high}"))
            })
            .collect();
        if !(breaker.error_rate > 0.0 && breaker.error_rate <= 1.0) {
            let is = breaker.error_rate;
            let detail = format!("is {is}; it must be above 0 and at most 1");
            errors.push(field("/breaker/error_rate", detail));
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(PolicyError(errors))
        }
    }
}

fn field(pointer: &str, detail: String) -> FieldError {
    FieldError {
        pointer: pointer.to_owned(),
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(Policy::default().validate(), Ok(()));
        assert_eq!(Policy::bare().validate(), Ok(()));
    }

    #[test]
    fn every_wrong_field_is_named() {
        let mut policy = Policy {
            timeout_ms: 0,
            ..Policy::default()
        };
        policy.retry.cap_ms = 1;
        policy.breaker.error_rate = f64::NAN;
        let error = policy
            .validate()
            .expect_err("three wrong fields")
            .to_string();
        assert!(
            error.contains("/timeout_ms is 0; it must be 1 to 3600000"),
            "{error}"
        );
        assert!(
            error.contains("/retry/cap_ms is 1; it must be 25"),
            "{error}"
        );
        assert!(error.contains("/breaker/error_rate is NaN"), "{error}");
    }

    #[test]
    fn what_is_left_out_keeps_its_default_and_what_is_unknown_is_refused() {
        let policy: Policy =
            serde_json::from_str(r#"{"retry":{"attempts":5}}"#).expect("a partial policy");
        assert_eq!(policy.retry.attempts, 5);
        assert_eq!(policy.retry.base_ms, RetryPolicy::default().base_ms);
        let error = serde_json::from_str::<Policy>(r#"{"retires":{}}"#).expect_err("a slip");
        assert!(error.to_string().contains("retires"), "{error}");
    }
}
