//! One good run, and a table of planted faults: each is caught by the checks that are for it, and by
//! no other.

use std::collections::BTreeMap;

use checks::goodput::Second;
use checks::linear::{Queue, Register};
use checks::recovery::{Need, recovery};
use checks::{
    Ask, Comparison, Domain, Effort, History, Item, Operation, Outcome, Slo, Value, Verdict,
    availability, conservation, error_rate, exactly_once, latency_quantile, linearizable,
    monotonic_reads, read_your_writes,
};

use crate::simulation::{Plan, counters, queues, registers};

/// What an experiment recorded.
#[derive(Clone)]
struct Recorded {
    registers: Vec<Operation>,
    queues: Vec<Operation>,
    counters: Vec<Operation>,
    counted: BTreeMap<String, i64>,
    /// Each pushes an item of its own: the fifth in doubt, the seventh failed.
    orders: Vec<Operation>,
    stored: Vec<Item>,
    effects: Vec<Item>,
    seconds: Vec<Second>,
    /// Milliseconds with how many results.
    latencies: Vec<(u64, u64)>,
    goodput: Vec<f64>,
}

const PLAN: Plan = Plan {
    seed: 5,
    clients: 4,
    keys: 2,
    operations: 400,
    unknown: 2,
};

fn good() -> Recorded {
    let counters = counters(PLAN).operations().to_vec();
    let mut counted = BTreeMap::new();
    for operation in &counters {
        if let (Ask::Add(by), Outcome::Ok(_)) = (&operation.ask, &operation.outcome) {
            *counted.entry(operation.key.clone()).or_default() += by;
        }
    }
    let order = |item: i64| {
        let at_us = 10 * u64::try_from(item).unwrap();
        let begun = Operation::begun(1, "orders", at_us, Ask::Push(item.into()));
        match item {
            5 => begun.unknown(at_us + 5),
            7 => begun.failed(at_us + 5, "503"),
            _ => begun.ok(at_us + 5, Value::Nothing),
        }
    };
    let stored: Vec<Item> = (1..=50)
        .filter(|item| *item != 7)
        .map(|item: i64| Item::new("orders", item))
        .collect();
    let queues = queues(Plan {
        clients: 3,
        operations: 40,
        ..PLAN
    });
    Recorded {
        registers: registers(PLAN, 1_000).operations().to_vec(),
        queues: queues.operations().to_vec(),
        counters,
        counted,
        orders: (1..=50).map(order).collect(),
        effects: stored.clone(),
        stored,
        seconds: vec![Second { good: 99, bad: 1 }; 60],
        latencies: vec![(3, 900), (20, 95), (45, 5)],
        goodput: [vec![100.0; 10], vec![5.0; 5], vec![60.0; 7], vec![98.0; 30]].concat(),
    }
}

fn verdicts(recorded: &Recorded) -> BTreeMap<&'static str, Verdict> {
    let of = |operations: &[Operation]| History::of(operations.iter().cloned()).unwrap();
    let registers = of(&recorded.registers);
    let orders = of(&recorded.orders);
    let slo =
        |metric, comparison, bound, domain| Slo::new(metric, comparison, bound, domain).unwrap();
    let p99 = latency_quantile(&recorded.latencies, 0.99).map(|ms| ms as f64);
    let up = availability(&recorded.seconds, 10, 0.95);
    let back = recovery(&recorded.goodput, 10..15, Need::default()).unwrap();
    let effort = Effort::default();
    BTreeMap::from([
        (
            "conservation",
            conservation::items(&orders, &recorded.stored),
        ),
        (
            "counts",
            conservation::counts(&of(&recorded.counters), &recorded.counted),
        ),
        ("exactly once", exactly_once(&orders, &recorded.effects)),
        ("monotonic reads", monotonic_reads(&registers)),
        ("read your writes", read_your_writes(&registers)),
        (
            "register",
            linearizable(&registers, &Register::default(), effort),
        ),
        ("queue", linearizable(&of(&recorded.queues), &Queue, effort)),
        (
            "p99",
            slo("p99_ms", Comparison::AtMost, 50.0, Domain::POSITIVE).check(p99),
        ),
        (
            "errors",
            slo("error_rate", Comparison::AtMost, 0.05, Domain::SHARE)
                .check(error_rate(&recorded.seconds)),
        ),
        (
            "availability",
            slo("up", Comparison::AtLeast, 1.0, Domain::SHARE).check(up),
        ),
        ("recovery", back.within(10)),
    ])
}

/// Changes the first pair of a client's operations on a key, one after the other, that fits.
fn change_pair(
    operations: &mut [Operation],
    fits: impl Fn(&Operation, &Operation) -> bool,
    change: impl FnOnce(&mut Operation, &mut Operation),
) {
    let pairs = (0..operations.len()).flat_map(|a| (0..operations.len()).map(move |b| (a, b)));
    let mut pairs = pairs.filter(|&(a, b)| {
        let (a, b) = (&operations[a], &operations[b]);
        a.client == b.client && a.key == b.key && a.is_before(b) && fits(a, b)
    });
    let (a, b) = pairs.next().unwrap();
    let (mut first, mut second) = (operations[a].clone(), operations[b].clone());
    change(&mut first, &mut second);
    (operations[a], operations[b]) = (first, second);
}

fn version(operation: &Operation) -> u64 {
    operation
        .seen()
        .and_then(|seen| seen.version)
        .unwrap_or_default()
}

fn answers(operation: &Operation, ask: &Ask) -> bool {
    operation.ask == *ask && operation.seen().is_some()
}

fn say(operation: &mut Operation, value: impl Into<Value>) {
    if let Outcome::Ok(seen) = &mut operation.outcome {
        seen.value = value.into();
    }
}

/// A client that writes nothing, so that it has no writes of its own to miss.
const READER: u32 = 77;

/// A read tells an older version than one of its client before it.
fn stale_read(recorded: &mut Recorded) {
    let fits = |a: &Operation, b: &Operation| {
        answers(a, &Ask::Read) && answers(b, &Ask::Read) && version(a) > 1
    };
    change_pair(&mut recorded.registers, fits, |a, b| {
        *b = b.clone().at_version(version(a) - 1);
        (a.client, b.client) = (READER, READER);
    });
}

/// A read tells the version before the client's own write.
fn own_write_unseen(recorded: &mut Recorded) {
    let fits = |a: &Operation, b: &Operation| {
        matches!(a.ask, Ask::Write(_)) && version(a) > 0 && answers(b, &Ask::Read)
    };
    change_pair(&mut recorded.registers, fits, |a, b| {
        *b = b.clone().at_version(version(a) - 1);
    });
}

/// Two reads of one client got each other's answers.
fn swapped_reads(recorded: &mut Recorded) {
    let fits = |a: &Operation, b: &Operation| {
        answers(a, &Ask::Read) && answers(b, &Ask::Read) && version(b) > version(a) + 5
    };
    change_pair(&mut recorded.registers, fits, |a, b| {
        std::mem::swap(&mut a.outcome, &mut b.outcome);
        (a.client, b.client) = (READER, READER);
    });
}

/// The last read sees a key that was written as if it never was.
fn lost_write(recorded: &mut Recorded) {
    let read = recorded
        .registers
        .iter_mut()
        .rfind(|o| answers(o, &Ask::Read));
    say(read.unwrap(), Value::Nothing);
}

/// A compare-and-set says that it swapped what was not there.
fn false_swap(recorded: &mut Recorded) {
    let refused = |o: &&mut Operation| {
        matches!(o.ask, Ask::Cas { .. }) && o.seen().is_some_and(|s| s.value == false.into())
    };
    say(recorded.registers.iter_mut().find(refused).unwrap(), true);
}

fn popped(operation: &Operation) -> bool {
    operation.ask == Ask::Pop && operation.seen().is_some_and(|s| s.value != Value::Nothing)
}

/// A client gets the item twice that it popped before.
fn popped_twice(recorded: &mut Recorded) {
    let fits = |a: &Operation, b: &Operation| popped(a) && popped(b);
    change_pair(&mut recorded.queues, fits, |a, b| {
        b.outcome = a.outcome.clone();
    });
}

/// A client gets two items in the wrong order, the pushes of which were far apart.
fn popped_out_of_order(recorded: &mut Recorded) {
    let fits = |a: &Operation, b: &Operation| popped(a) && popped(b);
    change_pair(&mut recorded.queues, fits, |a, b| {
        std::mem::swap(&mut a.outcome, &mut b.outcome);
    });
}

/// What was done to the good run, to what, and which checks must say so.
type Fault = (&'static str, fn(&mut Recorded), &'static [&'static str]);

const FAULTS: &[Fault] = &[
    (
        "an acknowledged item is gone",
        |r| drop(r.stored.remove(20)),
        &["conservation"],
    ),
    (
        "an item is there of its own",
        |r| r.stored.push(Item::new("orders", 99)),
        &["conservation"],
    ),
    (
        "a failed item is there",
        |r| r.stored.push(Item::new("orders", 7)),
        &["conservation"],
    ),
    (
        "an item is under another key",
        |r| r.stored[3].key = "offers".to_owned(),
        &["conservation"],
    ),
    (
        "a count is lost",
        |r| *r.counted.get_mut("k0").unwrap() -= 1,
        &["counts"],
    ),
    (
        "a count too many",
        |r| *r.counted.get_mut("k1").unwrap() += 1_000,
        &["counts"],
    ),
    (
        "a counter is gone",
        |r| assert!(r.counted.remove("k1").is_some()),
        &["counts"],
    ),
    (
        "a counter of its own",
        |r| assert!(r.counted.insert("k9".to_owned(), 1).is_none()),
        &["counts"],
    ),
    (
        "an effect twice",
        |r| r.effects.push(r.effects[8].clone()),
        &["exactly once"],
    ),
    (
        "a doubtful effect twice",
        |r| r.effects.push(r.effects[4].clone()),
        &["exactly once"],
    ),
    (
        "an effect lost",
        |r| drop(r.effects.remove(8)),
        &["exactly once"],
    ),
    (
        "an effect of a failure",
        |r| r.effects.push(Item::new("orders", 7)),
        &["exactly once"],
    ),
    ("a stale read", stale_read, &["monotonic reads"]),
    (
        "an own write unseen",
        own_write_unseen,
        &["read your writes"],
    ),
    (
        "swapped reads",
        swapped_reads,
        &["monotonic reads", "register"],
    ),
    ("a lost write", lost_write, &["register"]),
    ("a false swap", false_swap, &["register"]),
    ("an item popped twice", popped_twice, &["queue"]),
    ("items out of order", popped_out_of_order, &["queue"]),
    ("a slow hundredth", |r| r.latencies.push((51, 11)), &["p99"]),
    (
        "a bad minute",
        |r| r.seconds.fill(Second { good: 9, bad: 1 }),
        &["availability", "errors"],
    ),
    (
        "a bad ten seconds",
        |r| r.seconds[20..30].fill(Second { good: 9, bad: 1 }),
        &["availability"],
    ),
    (
        "down for good",
        |r| r.goodput[15..].fill(60.0),
        &["recovery"],
    ),
    (
        "back too late",
        |r| r.goodput[15..26].fill(94.0),
        &["recovery"],
    ),
    (
        "back and down again",
        |r| r.goodput[24..30].fill(50.0),
        &["recovery"],
    ),
];

#[test]
fn the_good_run_holds() {
    for (check, verdict) in verdicts(&good()) {
        assert!(verdict.held(), "{check}: {verdict}");
    }
}

#[test]
fn each_planted_fault_is_caught_by_the_checks_that_are_for_it() {
    for (fault, plant, expected) in FAULTS {
        let mut recorded = good();
        plant(&mut recorded);
        let verdicts = verdicts(&recorded);
        let broken = verdicts.iter().filter(|(_, verdict)| verdict.is_broken());
        let broken: Vec<&str> = broken.map(|(check, _)| *check).collect();
        assert_eq!(broken, *expected, "{fault}");
        for check in *expected {
            let [example, ..] = verdicts[check].examples.as_slice() else {
                panic!("{fault}: {check} shows nothing");
            };
            assert!(!example.seen.is_empty() && !example.expected.is_empty());
        }
    }
}

#[test]
fn each_check_has_a_fault_that_it_caught() {
    for check in verdicts(&good()).into_keys() {
        let caught = FAULTS
            .iter()
            .any(|(_, _, expected)| expected.contains(&check));
        assert!(caught, "{check} has no planted fault");
    }
}

#[test]
fn a_verdict_is_kept_as_json() {
    let mut recorded = good();
    swapped_reads(&mut recorded);
    for (_, verdict) in verdicts(&recorded) {
        let json = serde_json::to_string(&verdict).unwrap();
        assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), verdict);
    }
}
