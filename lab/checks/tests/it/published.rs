//! Small histories from papers and from other checkers' documents, with the verdicts given there.

use checks::linear::{Queue, Register};
use checks::{Ask, Effort, History, Operation, Value, Verdict, linearizable};

use crate::events::history;

fn register(initial: impl Into<Value>, history: &History) -> Verdict {
    let initial = initial.into();
    linearizable(history, &Register { initial }, Effort::default())
}

/// Herlihy and Wing, TOPLAS 12(3), 1990, figure 1 and section 2.2: H1 to H4, with x = 1, y = 2, z = 3
/// and the processes A, B, C = 0, 1, 2.
#[test]
fn herlihy_and_wing_queues() {
    for (name, good, events) in [
        ("H1", true, "0+1 1+2 1. 0. 1- 1=1 0- 0=2 0+3"),
        ("H2", false, "0+1 0. 1+2 0- 1. 0=2"),
        ("H3", true, "0+1 1- 1=1"),
        ("H4", false, "0+1 1+2 0. 1. 0- 2- 0=2 2=2"),
    ] {
        let verdict = linearizable(&history("q", events), &Queue, Effort::default());
        assert_eq!(
            (verdict.held(), verdict.is_broken()),
            (good, !good),
            "{name}: {verdict}"
        );
    }
}

/// The same paper, section 3.3: each of two queues alone is sequentially consistent, both together
/// are not. Linearizability is local: each alone is refused.
#[test]
fn herlihy_and_wing_locality() {
    let p = history("p", "0+1 0. 9r 9? 9r 9? 1+2 1. 0- 0=2");
    let q = history("q", "9r 9? 1+2 1. 0+1 0. 9r 9? 1- 1=1");
    for queue in [p, q] {
        let queue = queue
            .operations()
            .iter()
            .filter(|o| o.ask != Ask::Read)
            .cloned();
        let queue = History::of(queue).unwrap();
        assert!(linearizable(&queue, &Queue, Effort::default()).is_broken());
    }
}

/// The examples of Porcupine's README (a register that holds 0 at first), and of its tests for
/// operations that take no time.
#[test]
fn porcupine_registers() {
    assert!(register(0, &history("x", "0w100 1r 2r 2=0 1=100 0.")).held());
    assert!(register(0, &history("x", "0w200 1r 1=200 2r 2=0 0.")).is_broken());
    let put =
        |value: i64| Operation::begun(0, "x", 0, Ask::Write(value.into())).ok(100, Value::Nothing);
    let get = |client, begin_us, end_us, value: i64| {
        Operation::begun(client, "x", begin_us, Ask::Read).ok(end_us, value)
    };
    let good = [
        put(100),
        get(1, 25, 75, 100),
        get(2, 30, 30, 0),
        get(3, 30, 30, 0),
    ];
    assert!(register(0, &History::of(good).unwrap()).held());
    let bad = [
        put(200),
        get(1, 10, 10, 200),
        get(2, 10, 10, 200),
        get(3, 40, 90, 0),
    ];
    assert!(register(0, &History::of(bad).unwrap()).is_broken());
}

/// The example of Horn and Kroening's checker (FORTE 2015), H and H'.
#[test]
fn horn_and_kroening_registers() {
    assert!(register(Value::Nothing, &history("x", "0w1 0. 1w2 2r 2=2 1.")).held());
    assert!(register(Value::Nothing, &history("x", "0w1 0. 2r 2=2 1w2 1.")).is_broken());
}

/// Histories that Knossos keeps in `data/cas-register`, and the crashed write of its README.
#[test]
fn knossos_registers() {
    let nil = Value::Nothing;
    for (name, initial, good, events) in [
        ("crashed write", 0.into(), true, "0r 1w3 1? 0=3"),
        ("immediate-failure", 0.into(), false, "1r 101w3 101! 1=3"),
        (
            "rethink-fail-minimal",
            nil,
            false,
            "0w0 0. 1r 2w4 1=3 2. 3r 3=4",
        ),
        (
            "bad-analysis",
            0.into(),
            false,
            "4w2 4. 6r 1w4 1. 14r 14=4 9w0 9. 19r 20w1 19=0 22r 21r 21=2 22=3",
        ),
        (
            "cas-register-bug",
            0.into(),
            true,
            "4w2 4. 6r 1w4 1. 14r 14=4 9w0 9. 19r 19=0",
        ),
    ] {
        let verdict = register(initial, &history("x", events));
        assert_eq!(
            (verdict.held(), verdict.is_broken()),
            (good, !good),
            "{name}: {verdict}"
        );
    }
}

/// What knossos says of rethink-fail-minimal: the read of 3 appears out of nowhere.
#[test]
fn a_read_out_of_nowhere_is_all_that_is_shown() {
    let events = "0w0 0. 1r 2w4 1=3 2. 3r 3=4";
    let verdict = register(Value::Nothing, &history("x", events));
    let [example] = verdict.examples.as_slice() else {
        panic!("{verdict}");
    };
    assert_eq!(example.operations.len(), 1);
    assert_eq!(
        example.operations[0].operation.seen().unwrap().value,
        Value::Int(3)
    );
    let readme = include_str!("../../README.md");
    let said = verdict.to_string();
    assert!(
        readme.contains(&said),
        "the README shows another verdict than\n{said}"
    );
}
