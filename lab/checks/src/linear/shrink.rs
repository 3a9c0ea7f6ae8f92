//! From a history that is not linearizable to the few operations that show it.
//!
//! Nothing is left out that could make a good history look bad. A prefix of a linearizable history is
//! linearizable, with what was under way at its end in doubt; beyond that the model says what can be
//! left out ([`Model::apart`]). Each step is checked, so what remains is a proof of its own.

use super::model::{Claim, Model};
use super::search::{Answer, Longest, Part, search};
use super::{COMPARISONS_MAX, Effort};
use crate::verdict::{Counterexample, Witness};

/// So many rounds are made that leave out one at a time.
const ROUNDS_MAX: usize = 4;

/// The counterexample of `parts`, which are known not to be linearizable.
pub(super) fn counterexample<M: Model>(
    model: &M,
    key: &str,
    parts: Vec<Part<'_>>,
    effort: Effort,
) -> Counterexample {
    let mut shrink = Shrink {
        model,
        key,
        effort,
        comparisons: 0,
    };
    let mut core = shrink.shortest_prefix(parts);
    let mut size = core.len().div_ceil(2);
    while size > 1 {
        shrink.leave_out(&mut core, size);
        size = size.min(core.len()).div_ceil(2);
    }
    for _ in 0..ROUNDS_MAX {
        let before = core.len();
        shrink.leave_out(&mut core, 1);
        if core.len() == before {
            break;
        }
    }
    let all = Effort::default();
    let longest = match search(model, key, &core, all).0 {
        Answer::Impossible(longest) => longest,
        Answer::Fits | Answer::GaveUp => Longest {
            order: Vec::new(),
            state: model.initial(key),
            next: Vec::new(),
        },
    };
    example(model, key, &core, &longest)
}

struct Shrink<'a, M> {
    model: &'a M,
    key: &'a str,
    /// What is left for all searches together.
    effort: Effort,
    comparisons: usize,
}

impl<M: Model> Shrink<'_, M> {
    /// Whether it is certain that no order fits.
    fn is_impossible(&mut self, parts: &[Part<'_>]) -> bool {
        let (answer, steps) = search(self.model, self.key, parts, self.effort);
        self.effort.steps = self.effort.steps.saturating_sub(steps);
        matches!(answer, Answer::Impossible(_))
    }

    /// Halves the time until one answer more makes it impossible.
    fn shortest_prefix<'a>(&mut self, parts: Vec<Part<'a>>) -> Vec<Part<'a>> {
        let answered = parts.iter().filter(|part| part.seen().is_some());
        let mut ends: Vec<u64> = answered.map(|part| part.operation.end_us).collect();
        ends.sort_unstable();
        ends.dedup();
        let mut shortest = parts.clone();
        let (mut low, mut high) = (0, ends.len().saturating_sub(1));
        while low < high {
            let middle = (low + high) / 2;
            let some = prefix(&parts, ends[middle]);
            if self.is_impossible(&some) {
                high = middle;
                shortest = some;
            } else {
                low = middle + 1;
            }
        }
        shortest
    }

    /// Leaves out `size` neighbours at a time, the oldest first, wherever the rest stays impossible.
    fn leave_out(&mut self, core: &mut Vec<Part<'_>>, size: usize) {
        let mut at = 0;
        while at < core.len() && self.effort.steps > 0 && self.comparisons < COMPARISONS_MAX {
            let kept = self.without(core, at, size);
            if kept.len() < core.len() && self.is_impossible(&kept) {
                *core = kept;
            } else {
                at += size;
            }
        }
    }

    /// The operations without those of the neighbours from `at` on that can be left out.
    fn without<'a>(&mut self, core: &[Part<'a>], at: usize, size: usize) -> Vec<Part<'a>> {
        let unwanted: Vec<usize> = core.iter().skip(at).take(size).map(|p| p.number).collect();
        let mut rest = core.to_vec();
        // Twice, because one may stand in the way of another before it.
        for number in unwanted.iter().chain(&unwanted) {
            let Some(place) = rest.iter().position(|part| part.number == *number) else {
                continue;
            };
            self.comparisons += rest.len();
            let claims: Vec<Claim<'_>> = rest.iter().map(Part::claim).collect();
            let apart = self.model.apart(place, &claims);
            let mut at = 0..;
            rest.retain(|_| at.next().is_none_or(|at| !apart.contains(&at)));
        }
        rest
    }
}

/// What a witness at that moment knows: what has ended, and what is under way.
fn prefix<'a>(parts: &[Part<'a>], until_us: u64) -> Vec<Part<'a>> {
    let begun = parts
        .iter()
        .filter(|part| part.operation.begin_us <= until_us);
    let cut = begun.map(|part| Part {
        is_cut: part.is_cut || part.operation.end_us > until_us,
        ..*part
    });
    cut.filter(|part| part.seen().is_some() || !part.operation.ask.only_looks())
        .collect()
}

fn example<M: Model>(
    model: &M,
    key: &str,
    core: &[Part<'_>],
    longest: &Longest<M::State>,
) -> Counterexample {
    let names = |places: &[usize]| {
        let names: Vec<String> = places
            .iter()
            .map(|p| format!("#{}", core[*p].number))
            .collect();
        names.join(" ")
    };
    let sure = |place: &&usize| core[**place].seen().is_some();
    let next: Vec<usize> = longest.next.iter().filter(sure).copied().collect();
    let state = &longest.state;
    let seen = match (longest.order.as_slice(), next.as_slice()) {
        (_, []) => "there is no such order".to_owned(),
        ([], next) => format!(
            "at first it holds {state:?}, and none of {} fits",
            names(next)
        ),
        (order, next) => format!(
            "the longest that fits is {}, which leaves {state:?}; none of {} fits after it",
            names(order),
            names(next)
        ),
    };
    Counterexample {
        place: format!("{} {key}", model.name()),
        expected: format!(
            "one order of these, each at a moment between its begin and its end, that a {} allows",
            model.name()
        ),
        seen,
        operations: core
            .iter()
            .map(|part| Witness {
                number: part.number,
                operation: part.operation.clone(),
            })
            .collect(),
    }
}
