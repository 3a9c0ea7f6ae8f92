//! A run as the lab records it: three ways to live with a replica that is killed, made up from a seed.

use std::collections::BTreeMap;

use kernel::SeededRandom;
use reports::{
    Better, CheckOutcome, Compared, Effect, Experiment, Guess, Machine, Mark, MarkKind, Metric,
    Prediction, Run, Second, System, Trial, Variant,
};

use crate::simulate::normal;

/// 07:15:00 on the 27th of November 2026, in microseconds.
const BEGAN: i64 = 1_795_763_700_000_000;
const SECONDS: u32 = 20;
const KILLED: u32 = 6;
const BACK: u32 = 12;

const TOML: &str = r#"id = "kill-a-replica"
question = "What do visitors notice when one of three replicas is killed?"

[system]
services = ["gateway", "links"]
topology = "apart"
replicas = { links = 3 }

[[variants]]
name = "nothing"
[variants.knobs]
"gateway.health_checks" = "off"
"gateway.retries" = "off"

[[faults]]
at = "6s"
kind = "kill"
service = "links"
replica = 2
"#;

/// The run.
pub(crate) fn sample() -> Run {
    let random = SeededRandom::new(42);
    let mut trials = Vec::new();
    for block in 0..6_u32 {
        for place in 0..3 {
            let variant = if block % 2 == 1 { 2 - place } else { place };
            trials.push(trial(variant, block, &random));
        }
    }
    trials[4].limited = Some("its lag at p99 was 3 ms".to_owned());
    Run {
        format: 1,
        id: "20261127-071500-kill-a-replica".to_owned(),
        experiment: experiment(),
        started_at: BEGAN,
        elapsed_s: 412.0,
        quick: false,
        seed: 42,
        version: "0.1.0".to_owned(),
        ended_early: false,
        machine: Machine {
            cores: 2,
            cpu: "Xeon 2.5 GHz".to_owned(),
            os: "Linux 6.18".to_owned(),
            memory_mib: 24_000,
        },
        systems: vec![system()],
        metrics: metrics(),
        variants: variants(),
        trials,
        derived: vec![reports::Derived {
            label: "what <b>aside</b> saves".to_owned(),
            unit: "ms".to_owned(),
            formula: "none.p50_ms - aside.p50_ms".to_owned(),
            values: vec![4.0, 5.0, 6.0],
        }],
        checks: checks(),
        guess: Some(Guess {
            text: "10".to_owned(),
            value: Some(10.0),
            measured: None,
        }),
        notes: vec!["Other programs used a third of the machine while this ran.".to_owned()],
    }
}

fn experiment() -> Experiment {
    Experiment {
        id: "kill-a-replica".to_owned(),
        title: "Kill a replica".to_owned(),
        question: "What do visitors notice when one of three replicas is killed under load?".to_owned(),
        phase: 4,
        why: "A replica that dies takes its requests with it. A front door that does not look goes on \
              sending every third visitor to a closed port.\n\nHealth checks notice after a while; \
              a retry notices at once, but only saves what is safe to repeat."
            .to_owned(),
        lesson: "Without checks a third of the visitors fail for as long as the replica is down. \
                 Health checks shorten that to the time between two of them; retries hide the rest \
                 and cost a few milliseconds."
            .to_owned(),
        look: vec![
            "platform/mesh/src/balance.rs: ejection".to_owned(),
            "services/gateway/src/service.rs: the retry".to_owned(),
        ],
        prediction: Some(Prediction {
            question: "What share of requests fails without health checks and retries, in percent?".to_owned(),
            options: Vec::new(),
            measures: Some("nothing.errors_pct".to_owned()),
        }),
        text: TOML.to_owned(),
    }
}

fn system() -> System {
    System {
        name: "apart".to_owned(),
        topology: "apart".to_owned(),
        store: "PostgreSQL".to_owned(),
        cache: "memory".to_owned(),
        bus: "outbox".to_owned(),
        replicas: BTreeMap::from([
            ("gateway".to_owned(), 1),
            ("links".to_owned(), 3),
            ("orders".to_owned(), 2),
            ("payments".to_owned(), 1),
        ]),
        edges: [
            ("gateway", "links"),
            ("gateway", "orders"),
            ("orders", "payments"),
            ("orders", "links"),
        ]
        .map(|(from, to)| (from.to_owned(), to.to_owned()))
        .to_vec(),
    }
}

fn metrics() -> Vec<Metric> {
    [
        (
            "throughput",
            "throughput",
            "1/s",
            Better::Higher,
            Compared::Ratio,
        ),
        ("p50_ms", "p50", "ms", Better::Lower, Compared::Ratio),
        ("p99_ms", "p99", "ms", Better::Lower, Compared::Ratio),
        (
            "errors_pct",
            "errors",
            "%",
            Better::Lower,
            Compared::Difference,
        ),
        (
            "cpu_us",
            "CPU per request",
            "us",
            Better::Lower,
            Compared::Ratio,
        ),
        (
            "memory_mib",
            "memory",
            "MiB",
            Better::Lower,
            Compared::Ratio,
        ),
        (
            "recovery_s",
            "recovery",
            "s",
            Better::Lower,
            Compared::Difference,
        ),
    ]
    .map(|(name, label, unit, better, compared)| Metric {
        name: name.to_owned(),
        label: label.to_owned(),
        unit: unit.to_owned(),
        better,
        compared,
    })
    .to_vec()
}

fn variants() -> Vec<Variant> {
    [
        ("nothing", "no health checks, no retries", "off", "off"),
        ("health_checks", "a check a second", "on", "off"),
        (
            "checks_and_retries",
            "and one retry within a budget",
            "on",
            "budget",
        ),
    ]
    .map(|(name, label, checks, retries)| Variant {
        name: name.to_owned(),
        label: label.to_owned(),
        settings: BTreeMap::from([
            ("gateway.health_checks".to_owned(), checks.to_owned()),
            ("gateway.retries".to_owned(), retries.to_owned()),
        ]),
        system: 0,
    })
    .to_vec()
}

fn checks() -> Vec<CheckOutcome> {
    let outcome = |variant, claim: &str, expected, seen, detail: &str| CheckOutcome {
        variant,
        claim: claim.to_owned(),
        expected,
        seen,
        detail: detail.to_owned(),
    };
    vec![
        outcome(
            0,
            "errors_pct <= 1",
            Effect::Breaks,
            Some(Effect::Breaks),
            "9.9",
        ),
        outcome(
            1,
            "errors_pct <= 3",
            Effect::Holds,
            Some(Effect::Holds),
            "1.7",
        ),
        outcome(
            2,
            "errors_pct <= 0.1",
            Effect::Holds,
            Some(Effect::Breaks),
            "0.13 in trial 5",
        ),
        outcome(
            2,
            "no click is lost",
            Effect::Holds,
            None,
            "the history was cut short",
        ),
    ]
}

/// Which share of requests fails in a second.
fn failing(variant: usize, second: u32) -> f64 {
    let down = (KILLED..BACK).contains(&second);
    match (variant, down) {
        (0, true) => 0.33,
        (1, true) if second == KILLED => 0.33,
        (2, true) if second == KILLED => 0.015,
        _ => 0.0,
    }
}

fn trial(variant: usize, block: u32, random: &SeededRandom) -> Trial {
    let noisy = |value: f64, by: f64| value * (by * normal(random)).exp();
    let seconds: Vec<Second> = (0..SECONDS)
        .map(|second| {
            let failing = failing(variant, second);
            let due = noisy(1_000.0, 0.03).round() as u64;
            let bad = (due as f64 * failing).round() as u64;
            let slow = if (KILLED..BACK).contains(&second) {
                1.6
            } else {
                1.0
            };
            let tail = if variant == 2 && second == KILLED {
                6.0
            } else {
                slow
            };
            let p50_ms = noisy(1.3 * slow, 0.05);
            let p99_ms = noisy(6.0 * tail, 0.15);
            Second {
                second,
                due,
                good: due - bad,
                bad,
                p50_ms,
                p99_ms,
                max_ms: p99_ms * 2.0,
            }
        })
        .collect();
    let due: u64 = seconds.iter().map(|second| second.due).sum();
    let bad: u64 = seconds.iter().map(|second| second.bad).sum();
    let tail = [6.1, 6.4, 9.5][variant];
    let values = [
        ("throughput", (due - bad) as f64 / f64::from(SECONDS)),
        ("p50_ms", noisy(1.42, 0.03)),
        ("p99_ms", noisy(tail, 0.08)),
        ("errors_pct", 100.0 * bad as f64 / due as f64),
        ("cpu_us", noisy(310.0, 0.25)),
        ("memory_mib", noisy(88.0, 0.01)),
        ("recovery_s", noisy([6.2, 1.1, 0.4][variant], 0.1)),
    ];
    let latency = [
        (0.0, 0.4),
        (0.5, 1.42),
        (0.75, 2.0),
        (0.9, 3.1),
        (0.95, 4.2),
        (0.99, tail),
    ];
    let tails = [
        (0.999, tail * 2.2),
        (0.999_9, tail * 3.5),
        (1.0, tail * 4.0),
    ];
    Trial {
        variant,
        block,
        started_at: BEGAN + i64::from(block) * 66_000_000,
        elapsed_s: f64::from(SECONDS),
        values: values.map(|(name, value)| (name.to_owned(), value)).into(),
        latency: latency
            .into_iter()
            .chain(tails)
            .map(|(q, ms)| (q, noisy(ms, 0.05)))
            .collect(),
        seconds,
        marks: marks(variant),
        limited: None,
    }
}

fn marks(variant: usize) -> Vec<Mark> {
    let mark = |at_s, until_s, kind, text: &str| Mark {
        at_s,
        until_s,
        kind,
        text: text.to_owned(),
    };
    let mut marks = vec![mark(
        6.0,
        Some(12.0),
        MarkKind::Fault,
        "links, replica 2, killed",
    )];
    if variant > 0 {
        marks.push(mark(7.1, None, MarkKind::Other, "replica 2 ejected"));
    }
    marks.push(mark(12.0, None, MarkKind::Process, "replica 2 is back"));
    marks
}
