//! A counterexample is short, is itself a proof, and leaves nothing out that would excuse it.

use checks::linear::{Claim, Counter, Model, Queue, Register, Set};
use checks::{Ask, Effort, History, Operation, Outcome, Value, Verdict, linearizable};
use proptest::prelude::*;

use crate::orders::{queue_asks, register_asks, set_asks, some_order_fits, tiny};
use crate::simulation::{Plan, counters, queues, registers};

fn shown(verdict: &Verdict) -> Vec<Operation> {
    let operations = verdict.examples[0].operations.iter();
    operations
        .map(|witness| witness.operation.clone())
        .collect()
}

/// What may be left out must never turn good into bad: whatever `all` fit, the rest fits as well.
fn apart_is_sound<M: Model>(model: &M, operations: &[Operation]) -> Result<(), TestCaseError> {
    let happened = |o: &&Operation| !matches!(o.outcome, Outcome::Failed(_));
    let all: Vec<Operation> = operations.iter().filter(happened).cloned().collect();
    if !some_order_fits(model, &all) {
        return Ok(());
    }
    let claims: Vec<Claim<'_>> = all.iter().map(claim).collect();
    for place in 0..all.len() {
        let apart = model.apart(place, &claims);
        let rest = (0..all.len()).filter(|at| !apart.contains(at));
        let rest: Vec<Operation> = rest.map(|at| all[at].clone()).collect();
        prop_assert!(some_order_fits(model, &rest), "without {apart:?}: {all:?}");
    }
    Ok(())
}

fn claim(operation: &Operation) -> Claim<'_> {
    Claim {
        ask: &operation.ask,
        seen: operation.seen().map(|seen| &seen.value),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_a_register_lets_go_excuses_nothing(operations in tiny(register_asks())) {
        apart_is_sound(&Register { initial: 0.into() }, &operations)?;
    }

    #[test]
    fn what_a_queue_lets_go_excuses_nothing(operations in tiny(queue_asks())) {
        apart_is_sound(&Queue, &operations)?;
    }

    #[test]
    fn what_a_set_lets_go_excuses_nothing(operations in tiny(set_asks())) {
        apart_is_sound(&Set, &operations)?;
    }
}

const PLAN: Plan = Plan {
    seed: 3,
    clients: 8,
    keys: 1,
    operations: 1_000,
    unknown: 1,
};

/// Changes the last answered operation that `is_target`.
fn with(history: &History, is_target: fn(&Operation) -> bool, value: Value) -> History {
    let mut operations = history.operations().to_vec();
    let mut answered = operations.iter_mut().rev().filter(|o| o.seen().is_some());
    let target = answered.find(|o| is_target(o)).unwrap();
    *target = target.clone().ok(target.end_us, value);
    History::of(operations).unwrap()
}

#[test]
fn a_stale_read_among_a_thousand_operations_is_shown_with_the_few_that_matter() {
    // Every write has a value of its own, as a recorder would arrange it.
    let unique = registers(PLAN, 1_000_000);
    let writes = unique
        .operations()
        .iter()
        .filter(|o| !matches!(o.ask, Ask::Cas { .. }));
    let bad = with(
        &History::of(writes.cloned()).unwrap(),
        |o| o.ask == Ask::Read,
        Value::Nothing,
    );
    assert!(bad.operations().len() > 500);
    let verdict = linearizable(&bad, &Register::default(), Effort::default());
    assert!(verdict.is_broken());
    // A write that overwrote what was there at first, and the read that did not see it.
    let shown = shown(&verdict);
    assert_eq!(shown.len(), 2, "{verdict}");
    assert!(matches!(shown[0].ask, Ask::Write(_)) && shown[1].ask == Ask::Read);
    let said = verdict.to_string();
    assert!(
        said.contains("none of #") && said.contains("expected: one order"),
        "{said}"
    );
}

#[test]
fn an_item_that_is_popped_twice_is_shown_with_its_push() {
    let good = queues(Plan {
        clients: 3,
        operations: 60,
        unknown: 0,
        ..PLAN
    });
    let popped =
        |o: &&Operation| o.ask == Ask::Pop && o.seen().is_some_and(|s| s.value != Value::Nothing);
    let first = good.operations().iter().find(popped).unwrap();
    let again = first.seen().unwrap().value.clone();
    let bad = with(&good, |o| o.ask == Ask::Pop, again.clone());
    let verdict = linearizable(&bad, &Queue, Effort::default());
    let shown = shown(&verdict);
    let asks: Vec<Ask> = shown.iter().map(|o| o.ask.clone()).collect();
    assert_eq!(asks, [Ask::Push(again), Ask::Pop, Ask::Pop], "{verdict}");
}

#[test]
fn a_counter_that_runs_back_is_shown_up_to_the_read_that_tells() {
    let plan = Plan {
        operations: 60,
        unknown: 0,
        ..PLAN
    };
    let bad = with(&counters(plan), |o| o.ask == Ask::Read, 0.into());
    let verdict = linearizable(&bad, &Counter, Effort::default());
    let reads = shown(&verdict)
        .iter()
        .filter(|o| o.ask == Ask::Read)
        .count();
    assert_eq!(reads, 1, "{verdict}");
}
