//! How a service or an edge fares, in one word, and since when.

use kernel::Timestamp;
use serde::Serialize;

use crate::flow::Figures;

/// From this share of failed requests on, something is strained or failing.
const STRAINED_ERRORS: f64 = 0.005;
const FAILING_ERRORS: f64 = 0.05;
/// From this p99 on, something is strained.
const STRAINED_P99_MS: f64 = 250.0;

/// How it fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Health {
    /// Nothing is asked of it.
    Idle,
    /// It does what it should.
    Well,
    /// It works, slower or with fewer replicas than it should.
    Strained,
    /// Requests fail.
    Failing,
    /// No replica answers.
    Down,
}

/// The state now and how long it has been so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Condition {
    pub(crate) health: Health,
    pub(crate) since: Timestamp,
    /// One sentence on why, unless it is well.
    pub(crate) why: Option<String>,
}

/// How many replicas answer, of how many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) up: usize,
    pub(crate) all: usize,
}

pub(crate) fn judge(figures: &Figures, standing: Option<Standing>) -> (Health, Option<String>) {
    let slow = figures.p99_ms.filter(|p| *p >= STRAINED_P99_MS);
    if let Some(Standing { up: 0, all }) = standing
        && all > 0
    {
        return (Health::Down, Some("No replica answers.".to_owned()));
    }
    if figures.errors >= FAILING_ERRORS {
        return (Health::Failing, Some(failed(figures)));
    }
    if figures.errors >= STRAINED_ERRORS {
        return (Health::Strained, Some(failed(figures)));
    }
    if let Some(p99) = slow {
        let why = format!("One request in a hundred takes {p99:.0} ms or longer.");
        return (Health::Strained, Some(why));
    }
    if let Some(Standing { up, all }) = standing
        && up < all
    {
        return (
            Health::Strained,
            Some(format!("{up} of {all} replicas answer.")),
        );
    }
    if figures.rate > 0.0 {
        (Health::Well, None)
    } else {
        (Health::Idle, None)
    }
}

fn failed(figures: &Figures) -> String {
    format!(
        "{} % of requests fail.",
        (figures.errors * 1_000.0).round() / 10.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(errors: f64, p99_ms: f64, up: usize) -> Health {
        let figures = Figures {
            rate: 10.0,
            errors,
            p50_ms: Some(1.0),
            p99_ms: Some(p99_ms),
        };
        judge(&figures, Some(Standing { up, all: 3 })).0
    }

    #[test]
    fn the_worst_thing_names_the_state() {
        assert_eq!(health(0.0, 5.0, 3), Health::Well);
        assert_eq!(health(0.0, 300.0, 3), Health::Strained);
        assert_eq!(health(0.01, 5.0, 3), Health::Strained);
        assert_eq!(health(0.0, 5.0, 2), Health::Strained);
        assert_eq!(health(0.2, 5.0, 3), Health::Failing);
        assert_eq!(health(0.0, 5.0, 0), Health::Down);
        assert_eq!(judge(&Figures::default(), None).0, Health::Idle);
    }
}
