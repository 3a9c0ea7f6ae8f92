//! Long histories: what a run of an experiment records is judged, and what is too much is said so.

use checks::linear::Register;
use checks::{Ask, Effort, History, Operation, Value, linearizable};

use crate::simulation::{Plan, registers};

const PLAN: Plan = Plan {
    seed: 1,
    clients: 8,
    keys: 10,
    operations: 10_000,
    unknown: 2,
};

#[test]
fn ten_thousand_operations_on_ten_keys_are_judged() {
    let verdict = linearizable(&registers(PLAN, 5), &Register::default(), Effort::default());
    assert!(verdict.held(), "{verdict}");
    assert_eq!(verdict.count("keys"), 10);
    assert!(verdict.count("operations") > 9_000);
    // The search goes almost straight ahead: it is the work that is bounded here, not the time.
    assert!(verdict.count("steps") < 1_000_000, "{verdict}");
}

#[test]
fn one_stale_read_among_ten_thousand_operations_is_found() {
    let mut operations = registers(PLAN, 1_000).operations().to_vec();
    let read = operations
        .iter()
        .rposition(|o| o.ask == Ask::Read && o.seen().is_some());
    let read = &mut operations[read.unwrap()];
    *read = read.clone().ok(read.end_us, Value::Nothing);
    let key = read.key.clone();
    let history = History::of(operations).unwrap();
    let verdict = linearizable(&history, &Register::default(), Effort::default());
    assert!(verdict.is_broken(), "{verdict}");
    assert_eq!(verdict.examples[0].place, format!("register {key}"));
}

#[test]
fn a_run_with_hundreds_of_timeouts_is_judged() {
    // Written once each, read and never compared: what a recorder of a fault should write.
    let plan = Plan {
        keys: 1,
        operations: 2_000,
        unknown: 30,
        ..PLAN
    };
    let history = registers(plan, 1_000_000);
    let operations = history
        .operations()
        .iter()
        .filter(|o| !matches!(o.ask, Ask::Cas { .. }));
    let mut operations: Vec<_> = operations.cloned().collect();
    let judge = |operations: &[Operation]| {
        let history = History::of(operations.iter().cloned()).unwrap();
        linearizable(&history, &Register::default(), Effort::default())
    };
    let verdict = judge(&operations);
    assert!(
        verdict.held() && verdict.count("unknown") > 100,
        "{verdict}"
    );
    let read = operations
        .iter_mut()
        .rfind(|o| o.ask == Ask::Read && o.seen().is_some());
    let read = read.unwrap();
    *read = read.clone().ok(read.end_us, Value::Nothing);
    assert!(judge(&operations).is_broken());
}

#[test]
fn a_search_that_runs_out_of_work_says_so() {
    let history = registers(PLAN, 5);
    for effort in [
        Effort {
            steps: 50,
            ..Effort::default()
        },
        Effort {
            states: 50,
            ..Effort::default()
        },
    ] {
        let verdict = linearizable(&history, &Register::default(), effort);
        assert!(!verdict.held() && !verdict.is_broken());
        assert_eq!(verdict.count("gave_up"), 10);
        assert!(verdict.to_string().contains("use more keys"), "{verdict}");
    }
}
