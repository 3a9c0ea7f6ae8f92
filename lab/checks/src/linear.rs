//! Linearizability per key: whether there is one order of the operations, each at one moment between
//! its begin and its end, that a [`Model`] of the thing allows.
//!
//! Herlihy and Wing, "Linearizability: A Correctness Condition for Concurrent Objects" (TOPLAS 1990).
//! It is local: a history is linearizable when each key's is. The search is that of Wing and Gong
//! (1993) with the memory of Lowe (2017).

mod model;
mod search;
mod shrink;

pub use model::{Claim, Counter, Model, Queue, Register, Set};

use crate::history::History;
use crate::operation::{Operation, Outcome};
use crate::verdict::{Finding, Verdict};
use search::{Answer, Part};

/// Comparisons of operations that finding out which can be left out may take.
const COMPARISONS_MAX: usize = 50_000_000;

/// How much work is done for one key before the answer is "unknown".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Steps of the model.
    pub steps: u64,
    /// States that are remembered; each takes some hundred bytes, and that of a queue or a set its
    /// items.
    pub states: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            steps: 5_000_000,
            states: 500_000,
        }
    }
}

/// Whether the operations on each key are linearizable for the `model`.
///
/// An operation that failed did not happen. One with an unknown outcome takes effect once at any
/// moment after its begin, or never. Operations that touch in the same microsecond are concurrent.
/// Counts: `keys`, `operations` with an answer, `unknown`, `steps`, `gave_up` in keys.
#[must_use]
pub fn linearizable<M: Model>(history: &History, model: &M, effort: Effort) -> Verdict {
    let mut finding = Finding::new("linearizable");
    for name in ["keys", "operations", "unknown", "steps", "gave_up"] {
        finding.add(name, 0);
    }
    if let Some(why) = strange(history, model) {
        return finding.verdict(Some(why));
    }
    for (key, operations) in history.by_key() {
        let parts = parts(&operations);
        let answered = parts.iter().filter(|part| part.seen().is_some()).count();
        finding.add("keys", 1);
        finding.add("operations", answered as u64);
        finding.add("unknown", (parts.len() - answered) as u64);
        let parts = without_idle(model, parts);
        let (answer, steps) = search::search(model, key, &parts, effort);
        finding.add("steps", steps);
        match answer {
            Answer::Fits => {}
            Answer::GaveUp => finding.add("gave_up", 1),
            Answer::Impossible(_) => {
                finding.violation(|| shrink::counterexample(model, key, parts, effort));
            }
        }
    }
    let why = match (finding.count("operations"), finding.count("gave_up")) {
        (0, _) => Some("no operation was answered: record more".to_owned()),
        (_, 0) => None,
        (_, keys) => Some(format!(
            "{keys} keys took more than {} steps or {} states: use more keys, fewer clients at a \
             time or a shorter run",
            effort.steps, effort.states
        )),
    };
    finding.verdict(why)
}

/// Leaves out doubtful operations that no good history needs: that they happened excuses nothing,
/// and that they did not is allowed anyway. Without this a search tries every choice of them.
fn without_idle<'a, M: Model>(model: &M, mut parts: Vec<Part<'a>>) -> Vec<Part<'a>> {
    let mut comparisons = 0;
    for place in (0..parts.len()).rev() {
        if parts[place].seen().is_some() || comparisons > COMPARISONS_MAX {
            continue;
        }
        comparisons += parts.len();
        let claims: Vec<Claim<'_>> = parts.iter().map(Part::claim).collect();
        if model.apart(place, &claims) == [place] {
            parts.remove(place);
        }
    }
    parts
}

fn strange<M: Model>(history: &History, model: &M) -> Option<String> {
    let mut operations = (1..).zip(history.operations());
    let (number, operation) = operations.find(|(_, o)| !model.knows(&o.ask))?;
    let what = model.name();
    let ask = &operation.ask;
    Some(format!(
        "operation #{number} is `{ask}`, which a {what} does not have: choose its model"
    ))
}

/// What can matter: what failed did not happen, and a look that nobody saw changes nothing.
fn parts<'a>(operations: &[(usize, &'a Operation)]) -> Vec<Part<'a>> {
    let happened = |o: &&(usize, &Operation)| match o.1.outcome {
        Outcome::Ok(_) => true,
        Outcome::Failed(_) => false,
        Outcome::Unknown => !o.1.ask.only_looks(),
    };
    let operations = operations.iter().filter(happened);
    let mut parts: Vec<Part<'_>> = operations
        .map(|&(number, o)| Part::new(number, o))
        .collect();
    parts.sort_by_key(|part| (part.operation.begin_us, part.number));
    parts
}
