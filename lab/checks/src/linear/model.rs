//! How a thing behaves when one client uses it at a time.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Debug;
use std::hash::Hash;

use crate::operation::{Ask, Value};

/// What one operation claims: what was asked, and what was answered if anyone knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim<'a> {
    /// What was asked.
    pub ask: &'a Ask,
    /// What was answered; none when the outcome is unknown.
    pub seen: Option<&'a Value>,
}

/// How one key behaves when one client uses it at a time.
pub trait Model {
    /// What it holds.
    type State: Clone + Eq + Hash + Debug;

    /// What it is, in one word.
    fn name(&self) -> &'static str;

    /// What a key holds at first.
    fn initial(&self, key: &str) -> Self::State;

    /// Whether it has such an operation.
    fn knows(&self, ask: &Ask) -> bool;

    /// What it holds afterwards, or none when it would not have answered so.
    fn step(&self, state: &Self::State, claim: Claim<'_>) -> Option<Self::State>;

    /// Which of `all` can be left out together with the one at `place` for a shorter counterexample,
    /// itself among them: if `all` fit, the others must fit as well. None by default, but for what
    /// only looks.
    fn apart(&self, place: usize, all: &[Claim<'_>]) -> Vec<usize> {
        match all[place].ask.only_looks() {
            true => vec![place],
            false => Vec::new(),
        }
    }
}

/// A value that is read, written and compared. A compare-and-set is answered with whether it swapped;
/// an answer of nothing means that it did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Register {
    /// What every key holds at first.
    pub initial: Value,
}

impl Model for Register {
    type State = Value;

    fn name(&self) -> &'static str {
        "register"
    }

    fn initial(&self, _key: &str) -> Value {
        self.initial.clone()
    }

    fn knows(&self, ask: &Ask) -> bool {
        matches!(ask, Ask::Read | Ask::Write(_) | Ask::Cas { .. })
    }

    fn step(&self, state: &Value, claim: Claim<'_>) -> Option<Value> {
        match claim.ask {
            Ask::Read => claim
                .seen
                .is_none_or(|seen| seen == state)
                .then(|| state.clone()),
            Ask::Write(value) => Some(value.clone()),
            Ask::Cas { from, to } => {
                let swaps = from == state;
                let fits = claim
                    .seen
                    .is_none_or(|seen| swaps == (*seen != Value::Bool(false)));
                fits.then(|| if swaps { to } else { state }.clone())
            }
            _ => None,
        }
    }

    /// A write that nobody saw can be left out: what was there before it stays a little longer. A
    /// compare-and-set that did not swap saw all other values, so it stands in the way.
    fn apart(&self, place: usize, all: &[Claim<'_>]) -> Vec<usize> {
        let missed = |claim: &Claim<'_>| {
            matches!(claim.ask, Ask::Cas { .. }) && claim.seen == Some(&Value::Bool(false))
        };
        let written = match all[place].ask {
            Ask::Read => return vec![place],
            Ask::Cas { .. } if missed(&all[place]) => return vec![place],
            Ask::Write(value) | Ask::Cas { to: value, .. } => value,
            _ => return Vec::new(),
        };
        let saw = |claim: &Claim<'_>| match claim.ask {
            Ask::Read => claim.seen == Some(written),
            Ask::Cas { from, .. } => from == written || missed(claim),
            _ => false,
        };
        let others = (0..all.len()).filter(|other| *other != place);
        match others.into_iter().any(|other| saw(&all[other])) {
            true => Vec::new(),
            false => vec![place],
        }
    }
}

/// A number that grows and is read. An addition may be answered with the new number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counter;

impl Model for Counter {
    type State = i64;

    fn name(&self) -> &'static str {
        "counter"
    }

    fn initial(&self, _key: &str) -> i64 {
        0
    }

    fn knows(&self, ask: &Ask) -> bool {
        matches!(ask, Ask::Read | Ask::Add(_))
    }

    fn step(&self, state: &i64, claim: Claim<'_>) -> Option<i64> {
        let (after, may_be_silent) = match claim.ask {
            Ask::Read => (*state, false),
            Ask::Add(by) => (state.checked_add(*by)?, true),
            _ => return None,
        };
        let fits = match claim.seen {
            None => true,
            Some(Value::Nothing) => may_be_silent,
            Some(seen) => *seen == Value::Int(after),
        };
        fits.then_some(after)
    }
}

/// First in, first out. A pop is answered with the item, or with nothing when it is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queue;

impl Model for Queue {
    type State = VecDeque<Value>;

    fn name(&self) -> &'static str {
        "queue"
    }

    fn initial(&self, _key: &str) -> VecDeque<Value> {
        VecDeque::new()
    }

    fn knows(&self, ask: &Ask) -> bool {
        matches!(ask, Ask::Push(_) | Ask::Pop)
    }

    fn step(&self, state: &VecDeque<Value>, claim: Claim<'_>) -> Option<VecDeque<Value>> {
        let mut after = state.clone();
        match claim.ask {
            Ask::Push(value) => after.push_back(value.clone()),
            Ask::Pop => {
                let popped = after.pop_front().unwrap_or_default();
                if claim.seen.is_some_and(|seen| *seen != popped) {
                    return None;
                }
            }
            _ => return None,
        }
        Some(after)
    }

    /// An item can be left out with all that pushed and popped it; the order of the others stays.
    fn apart(&self, place: usize, all: &[Claim<'_>]) -> Vec<usize> {
        let item = |claim: &Claim<'_>| match claim.ask {
            Ask::Push(value) => Some(value.clone()),
            _ => claim.seen.cloned(),
        };
        match item(&all[place]) {
            None => Vec::new(),
            Some(Value::Nothing) => vec![place],
            this => (0..all.len())
                .filter(|other| item(&all[*other]) == this)
                .collect(),
        }
    }
}

/// Items that are there or not. An insert may be answered with whether the item is new, a remove
/// with whether it was there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Set;

impl Model for Set {
    type State = BTreeSet<Value>;

    fn name(&self) -> &'static str {
        "set"
    }

    fn initial(&self, _key: &str) -> BTreeSet<Value> {
        BTreeSet::new()
    }

    fn knows(&self, ask: &Ask) -> bool {
        matches!(ask, Ask::Insert(_) | Ask::Remove(_) | Ask::Contains(_))
    }

    fn step(&self, state: &BTreeSet<Value>, claim: Claim<'_>) -> Option<BTreeSet<Value>> {
        let mut after = state.clone();
        let done = match claim.ask {
            Ask::Insert(value) => after.insert(value.clone()),
            Ask::Remove(value) => after.remove(value),
            Ask::Contains(value) => state.contains(value),
            _ => return None,
        };
        let silent = matches!(claim.seen, None | Some(Value::Nothing));
        let fits = silent && !claim.ask.only_looks() || claim.seen == Some(&Value::Bool(done));
        fits.then_some(after)
    }

    /// Items have nothing to do with each other.
    fn apart(&self, place: usize, all: &[Claim<'_>]) -> Vec<usize> {
        let item = |claim: &Claim<'_>| match claim.ask {
            Ask::Insert(value) | Ask::Remove(value) | Ask::Contains(value) => Some(value.clone()),
            _ => None,
        };
        if all[place].ask.only_looks() {
            return vec![place];
        }
        let this = item(&all[place]);
        (0..all.len())
            .filter(|other| item(&all[*other]) == this)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps through asks with their answers, and tells whether all fit.
    fn fits<M: Model>(model: &M, steps: &[(Ask, Option<Value>)]) -> bool {
        let mut state = model.initial("k");
        steps.iter().all(|(ask, seen)| {
            let seen = seen.as_ref();
            let after = model.step(&state, Claim { ask, seen });
            assert!(model.knows(ask));
            after.map(|after| state = after).is_some()
        })
    }

    fn told(value: impl Into<Value>) -> Option<Value> {
        Some(value.into())
    }

    const SILENT: Option<Value> = Some(Value::Nothing);

    #[test]
    fn a_register_swaps_only_what_it_holds() {
        let cas = |from: i64, to: i64| Ask::Cas {
            from: from.into(),
            to: to.into(),
        };
        let model = Register { initial: 1.into() };
        assert!(fits(
            &model,
            &[(cas(1, 2), told(true)), (Ask::Read, told(2))]
        ));
        assert!(fits(&model, &[(cas(1, 2), SILENT), (Ask::Read, told(2))]));
        assert!(fits(
            &model,
            &[(cas(3, 2), told(false)), (Ask::Read, told(1))]
        ));
        assert!(fits(
            &model,
            &[(cas(3, 2), None), (cas(1, 2), None), (Ask::Read, told(2))]
        ));
        assert!(!fits(&model, &[(cas(1, 2), told(false))]));
        assert!(!fits(&model, &[(cas(3, 2), told(true))]));
        assert!(!fits(
            &model,
            &[(Ask::Write(5.into()), SILENT), (Ask::Read, told(1))]
        ));
    }

    #[test]
    fn a_counter_a_queue_and_a_set_answer_as_they_should() {
        assert!(fits(
            &Counter,
            &[
                (Ask::Add(2), SILENT),
                (Ask::Add(1), told(3)),
                (Ask::Read, told(3))
            ]
        ));
        assert!(!fits(&Counter, &[(Ask::Add(2), told(1))]));
        assert!(
            !fits(&Counter, &[(Ask::Read, SILENT)]),
            "a read says something"
        );
        let push = |item: i64| (Ask::Push(item.into()), SILENT);
        assert!(fits(
            &Queue,
            &[
                push(1),
                push(2),
                (Ask::Pop, told(1)),
                (Ask::Pop, told(2)),
                (Ask::Pop, SILENT)
            ]
        ));
        assert!(!fits(&Queue, &[push(1), push(2), (Ask::Pop, told(2))]));
        assert!(!fits(&Queue, &[push(1), (Ask::Pop, SILENT)]));
        let (insert, remove) = (Ask::Insert(1.into()), Ask::Remove(1.into()));
        let contains = Ask::Contains(1.into());
        let good = [
            (insert.clone(), told(true)),
            (insert.clone(), told(false)),
            (contains.clone(), told(true)),
            (remove.clone(), told(true)),
            (contains.clone(), told(false)),
        ];
        assert!(fits(&Set, &good));
        assert!(!fits(&Set, &[(insert, SILENT), (contains, told(false))]));
        assert!(!fits(&Set, &[(remove, told(true))]));
    }
}
