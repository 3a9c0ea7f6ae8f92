//! Whose limit the figures show: the server's, the connections', or the generator's own.

use serde::Serialize;

/// A thread that works or wants to for so much of the time has no more to give.
const BUSY: f64 = 0.95;
/// A delay below this is no bottleneck, in milliseconds.
const DELAY_MS: f64 = 1.0;
/// A delay matters when it is this much of the latency.
const DELAY_SHARE: f64 = 0.1;

/// What the figures are worth, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The rate was held; the figures are the server's.
    Held,
    /// Requests failed.
    Errors,
    /// Requests waited for a connection, or found the queue full.
    Saturated,
    /// The generator was late or out of CPU: the figures are partly its own.
    Generator,
    /// Nothing was answered.
    NoAnswers,
    /// Nothing was due.
    Nothing,
}

/// What the figures are worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In one word.
    pub kind: Kind,
    /// In one line, with what to do.
    pub text: String,
}

/// What a verdict is made from.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts {
    pub(crate) scheduled: u64,
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    pub(crate) server_errors: u64,
    pub(crate) queue_full: u64,
    pub(crate) left: u64,
    pub(crate) connections: usize,
    /// Connections that were opened in all.
    pub(crate) opened: u64,
    /// Requests per second.
    pub(crate) wanted: f64,
    pub(crate) achieved: f64,
    pub(crate) latency_p99_ms: f64,
    pub(crate) wait_p99_ms: f64,
    pub(crate) lag_p99_ms: f64,
    /// The share of one core.
    pub(crate) cpu: f64,
    /// The share of the time without a core.
    pub(crate) starved: f64,
}

impl Verdict {
    /// The gravest thing that is true of the figures.
    pub(crate) fn of(facts: &Facts) -> Self {
        let verdicts = [nothing, no_answers, generator, saturated, errors];
        verdicts
            .iter()
            .find_map(|verdict| verdict(facts))
            .unwrap_or_else(|| {
                say(
                    Kind::Held,
                    "the rate was held, and the load generator kept its schedule".to_owned(),
                )
            })
    }
}

fn say(kind: Kind, text: String) -> Verdict {
    Verdict { kind, text }
}

fn nothing(facts: &Facts) -> Option<Verdict> {
    (facts.scheduled == 0).then(|| say(Kind::Nothing, "no request was due".to_owned()))
}

fn no_answers(facts: &Facts) -> Option<Verdict> {
    (facts.answered == 0).then(|| {
        say(
            Kind::NoAnswers,
            "not one request was answered; the errors say why".to_owned(),
        )
    })
}

fn generator(facts: &Facts) -> Option<Verdict> {
    let late = matters(facts.lag_p99_ms, facts.latency_p99_ms);
    let busy = facts.cpu + facts.starved >= BUSY;
    (late || busy).then(|| {
        let advice = match busy {
            true => "ask for less, or give it a core of its own",
            false => "other programs held it up, so give it a core of its own",
        };
        let text = format!(
            "the load generator was the bottleneck: it used {:.0} % of a core, waited for one {:.0} % of \
             the time, and was {:.1} ms late at p99; the latency is partly its own; {advice}",
            facts.cpu * 100.0,
            facts.starved * 100.0,
            facts.lag_p99_ms
        );
        say(Kind::Generator, text)
    })
}

fn saturated(facts: &Facts) -> Option<Verdict> {
    let waited = matters(facts.wait_p99_ms, facts.latency_p99_ms);
    let unsent = facts.queue_full + facts.left;
    (waited || unsent > 0).then(|| {
        let mut text = format!(
            "requests waited {:.1} ms for a connection at p99, and {:.0}/s of {:.0}/s were answered on \
             {} connections",
            facts.wait_p99_ms, facts.achieved, facts.wanted, facts.connections
        );
        if facts.queue_full > 0 {
            text.push_str(&format!(
                "; {} found the queue full and are in no latency",
                facts.queue_full
            ));
        }
        if facts.left > 0 {
            text.push_str(&format!("; {} still waited at the end", facts.left));
        }
        let reopened = facts.opened > 2 * facts.connections as u64;
        text.push_str(match reopened {
            true => "; the server closes connections, and each must be opened again",
            false => "; if more --connections change nothing, it is the server's limit",
        });
        say(Kind::Saturated, text)
    })
}

fn errors(facts: &Facts) -> Option<Verdict> {
    (facts.failed + facts.server_errors > 0).then(|| {
        let text = format!(
            "of {} requests {} failed, and {} were answered with 5xx",
            facts.scheduled, facts.failed, facts.server_errors
        );
        say(Kind::Errors, text)
    })
}

/// Whether a delay is long, and a good part of the latency.
fn matters(delay_ms: f64, latency_ms: f64) -> bool {
    delay_ms >= DELAY_MS && delay_ms >= DELAY_SHARE * latency_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Facts = Facts {
        scheduled: 1_000,
        answered: 1_000,
        failed: 0,
        server_errors: 0,
        queue_full: 0,
        left: 0,
        connections: 64,
        opened: 64,
        wanted: 100.0,
        achieved: 100.0,
        latency_p99_ms: 20.0,
        wait_p99_ms: 0.1,
        lag_p99_ms: 0.1,
        cpu: 0.1,
        starved: 0.0,
    };

    #[track_caller]
    fn expect(facts: &Facts, kind: Kind, words: &str) {
        let verdict = Verdict::of(facts);
        assert_eq!(verdict.kind, kind, "{}", verdict.text);
        assert!(verdict.text.contains(words), "{}", verdict.text);
    }

    #[test]
    fn a_good_run_is_held() {
        expect(&GOOD, Kind::Held, "the rate was held");
    }

    #[test]
    fn a_generator_that_was_late_or_full_is_named_before_the_server() {
        let words = "the load generator was the bottleneck";
        expect(&Facts { cpu: 0.97, ..GOOD }, Kind::Generator, words);
        expect(
            &Facts {
                lag_p99_ms: 5.0,
                ..GOOD
            },
            Kind::Generator,
            words,
        );
        let starved = Facts {
            cpu: 0.5,
            starved: 0.46,
            ..GOOD
        };
        expect(&starved, Kind::Generator, "waited for one 46 %");
        let both = Facts {
            lag_p99_ms: 5.0,
            queue_full: 9,
            ..GOOD
        };
        expect(&both, Kind::Generator, words);
        // Late by 5 ms where answers take a second changes nothing.
        let slow = Facts {
            lag_p99_ms: 5.0,
            latency_p99_ms: 1_000.0,
            ..GOOD
        };
        expect(&slow, Kind::Held, "");
    }

    #[test]
    fn waiting_for_a_connection_is_not_the_lower_rate_s_good_latency() {
        expect(
            &Facts {
                wait_p99_ms: 19.0,
                ..GOOD
            },
            Kind::Saturated,
            "19.0 ms",
        );
        expect(
            &Facts {
                queue_full: 3,
                ..GOOD
            },
            Kind::Saturated,
            "3 found the queue full",
        );
        expect(
            &Facts { left: 4, ..GOOD },
            Kind::Saturated,
            "4 still waited",
        );
        let closing = Facts {
            wait_p99_ms: 19.0,
            opened: 1_000,
            ..GOOD
        };
        expect(&closing, Kind::Saturated, "the server closes connections");
    }

    #[test]
    fn failures_are_said() {
        expect(&Facts { failed: 2, ..GOOD }, Kind::Errors, "2 failed");
        expect(
            &Facts {
                server_errors: 5,
                ..GOOD
            },
            Kind::Errors,
            "5 were answered with 5xx",
        );
        expect(
            &Facts {
                answered: 0,
                ..GOOD
            },
            Kind::NoAnswers,
            "not one",
        );
        expect(&Facts::default(), Kind::Nothing, "no request was due");
    }
}
