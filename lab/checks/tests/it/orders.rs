//! Tiny histories, for which every order can be tried one by one: the checker must agree with that.

use std::cell::Cell;

use checks::linear::{Claim, Counter, Model, Queue, Register, Set};
use checks::{Ask, Effort, History, Operation, Outcome, Value, linearizable};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Whether any order of any choice of the doubtful operations fits: all permutations, no cleverness.
pub(crate) fn some_order_fits<M: Model>(model: &M, operations: &[Operation]) -> bool {
    let happened = |o: &&Operation| !matches!(o.outcome, Outcome::Failed(_));
    let operations: Vec<&Operation> = operations.iter().filter(happened).collect();
    let (sure, doubtful): (Vec<&Operation>, Vec<&Operation>) =
        operations.into_iter().partition(|o| o.seen().is_some());
    (0..1_usize << doubtful.len()).any(|choice| {
        let chosen = (0..doubtful.len()).filter(|at| choice & (1 << at) != 0);
        let mut all: Vec<&Operation> = sure
            .iter()
            .copied()
            .chain(chosen.map(|at| doubtful[at]))
            .collect();
        let len = all.len();
        some_permutation(&mut all, len, &|order| fits(model, order))
    })
}

/// Heap's algorithm.
fn some_permutation<'a>(
    all: &mut Vec<&'a Operation>,
    len: usize,
    test: &impl Fn(&[&'a Operation]) -> bool,
) -> bool {
    if len <= 1 {
        return test(all);
    }
    (0..len).any(|at| {
        let found = some_permutation(all, len - 1, test);
        all.swap(if len.is_multiple_of(2) { at } else { 0 }, len - 1);
        found
    })
}

fn fits<M: Model>(model: &M, order: &[&Operation]) -> bool {
    let too_late = |(at, this): (usize, &&Operation)| {
        let after = &order[at + 1..];
        after
            .iter()
            .any(|other| other.seen().is_some() && other.end_us < this.begin_us)
    };
    if order.iter().enumerate().any(too_late) {
        return false;
    }
    let mut state = model.initial("k");
    order.iter().all(|operation| {
        let seen = operation.seen().map(|seen| &seen.value);
        let ask = &operation.ask;
        let after = model.step(&state, Claim { ask, seen });
        after.map(|after| state = after).is_some()
    })
}

/// Up to seven operations close together, with answers that are right about half of the time.
pub(crate) fn tiny(
    ask: impl Strategy<Value = (Ask, Value)>,
) -> impl Strategy<Value = Vec<Operation>> {
    let operation = (ask, 0_u32..3, 0_u64..14, 0_u64..6, 0_u32..12);
    let operation = operation.prop_map(|((ask, value), client, begin_us, length, outcome)| {
        let begun = Operation::begun(client, "k", begin_us, ask);
        match outcome {
            0 => begun.failed(begin_us + length, "refused"),
            1 | 2 => begun.unknown(begin_us + length),
            _ => begun.ok(begin_us + length, value),
        }
    });
    proptest::collection::vec(operation, 1..8)
}

fn small() -> impl Strategy<Value = Value> {
    (0_i64..3).prop_map(Value::Int)
}

pub(crate) fn register_asks() -> impl Strategy<Value = (Ask, Value)> {
    prop_oneof![
        small().prop_map(|value| (Ask::Read, value)),
        small().prop_map(|value| (Ask::Write(value), Value::Nothing)),
        (small(), small(), any::<bool>())
            .prop_map(|(from, to, did)| (Ask::Cas { from, to }, did.into())),
    ]
}

fn counter_asks() -> impl Strategy<Value = (Ask, Value)> {
    prop_oneof![
        (0_i64..4).prop_map(|value| (Ask::Read, value.into())),
        (0_i64..3).prop_map(|by| (Ask::Add(by), Value::Nothing)),
    ]
}

pub(crate) fn queue_asks() -> impl Strategy<Value = (Ask, Value)> {
    let popped = prop_oneof![1 => Just(Value::Nothing), 3 => small()];
    prop_oneof![
        popped.prop_map(|value| (Ask::Pop, value)),
        small().prop_map(|value| (Ask::Push(value), Value::Nothing)),
    ]
}

pub(crate) fn set_asks() -> impl Strategy<Value = (Ask, Value)> {
    let item = || (0_i64..2).prop_map(Value::Int);
    prop_oneof![
        (item(), any::<bool>()).prop_map(|(item, was)| (Ask::Insert(item), was.into())),
        (item(), any::<bool>()).prop_map(|(item, was)| (Ask::Remove(item), was.into())),
        (item(), any::<bool>()).prop_map(|(item, was)| (Ask::Contains(item), was.into())),
    ]
}

/// Compares the checker with all orders, and makes sure that it was asked about good and bad.
fn agrees<M: Model>(model: &M, asks: impl Strategy<Value = (Ask, Value)>) {
    let (good, bad) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config {
        cases: 1_500,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&tiny(asks), |operations| {
        let known = some_order_fits(model, &operations);
        let verdict = linearizable(&History::of(operations).unwrap(), model, Effort::default());
        if verdict.count("operations") > 0 {
            prop_assert_eq!(
                (verdict.held(), verdict.is_broken()),
                (known, !known),
                "{}",
                verdict
            );
        }
        let seen = if known { &good } else { &bad };
        seen.set(seen.get() + 1);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        good.get() > 100 && bad.get() > 100,
        "{good:?} good, {bad:?} bad"
    );
}

#[test]
fn a_register_is_judged_as_by_trying_every_order() {
    agrees(&Register { initial: 0.into() }, register_asks());
}

#[test]
fn a_counter_is_judged_as_by_trying_every_order() {
    agrees(&Counter, counter_asks());
}

#[test]
fn a_queue_is_judged_as_by_trying_every_order() {
    agrees(&Queue, queue_asks());
}

#[test]
fn a_set_is_judged_as_by_trying_every_order() {
    agrees(&Set, set_asks());
}
