//! What clients were told equals what is stored: nothing acknowledged is lost, and nothing is there
//! that nobody asked for. An unknown outcome counts as either.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::History;
use crate::operation::{Ask, Item, Operation, Outcome, Value};
use crate::verdict::{Counterexample, Finding, Verdict, witness};

type Numbered<'a> = (usize, &'a Operation);

/// What the history says of one item.
#[derive(Default)]
struct Story<'a> {
    brought: Vec<Numbered<'a>>,
    taken: Vec<Numbered<'a>>,
}

/// Where an item must be at the end.
enum End {
    There,
    Gone,
    Either,
}

/// Compares items that were inserted, pushed or written with those that are `stored` at the end.
///
/// An item is known by its key and value. One that was acknowledged must be stored, unless it was
/// removed or popped; one that was only asked for with an unknown outcome may be; one that failed or
/// was never asked for must not. `Write` counts as bringing an item: use it for keys that are written
/// once. How often an item is stored is the matter of [`exactly_once`](crate::exactly_once).
///
/// Counts: `acknowledged`, `unknown`, `stored`, `lost`, `unasked`.
#[must_use]
pub fn items(history: &History, stored: &[Item]) -> Verdict {
    let stories = stories(history);
    let stored: BTreeSet<(&str, &Value)> = stored.iter().map(|i| (&*i.key, &i.value)).collect();
    let mut pops = pops_in_doubt(history);
    let mut finding = Finding::new("conservation");
    for name in ["acknowledged", "unknown", "lost", "unasked"] {
        finding.add(name, 0);
    }
    finding.add("stored", stored.len() as u64);
    for (&(key, value), story) in &stories {
        match story.brought_for_sure() {
            true => finding.add("acknowledged", 1),
            false => finding.add("unknown", u64::from(story.brought_perhaps())),
        }
        match (story.end(), stored.contains(&(key, value))) {
            (End::There, false) => {
                if let Some(left @ 1..) = pops.get_mut(key) {
                    *left -= 1;
                    continue;
                }
                finding.add("lost", 1);
                let seen = "it is not stored";
                finding.violation(|| example(key, value, story, "is stored", seen));
            }
            (End::Gone, true) => {
                finding.add("unasked", 1);
                let seen = "it is stored";
                finding.violation(|| example(key, value, story, "is not stored", seen));
            }
            _ => {}
        }
    }
    for (key, value) in stored {
        if !stories.contains_key(&(key, value)) {
            finding.add("unasked", 1);
            let (told, seen) = ("is not stored: nobody asked for it", "it is stored");
            finding.violation(|| example(key, value, &Story::default(), told, seen));
        }
    }
    let idle = finding.count("acknowledged") + finding.count("unknown") == 0;
    finding.verdict(idle.then(|| {
        "no item was acknowledged or in doubt: record inserts, pushes or writes".to_owned()
    }))
}

/// Compares counters: per key, what was told is at most what is `stored`, which is at most what was
/// asked. Failed additions count for neither. A key that is not `stored` holds zero.
///
/// Counts: `keys`, `told`, `asked`, `stored`, each summed over keys, of additions above zero.
#[must_use]
pub fn counts(history: &History, stored: &BTreeMap<String, i64>) -> Verdict {
    let mut finding = Finding::new("conservation_of_counts");
    let mut keys: BTreeMap<&str, Vec<Numbered<'_>>> = stored
        .keys()
        .map(|key| (key.as_str(), Vec::new()))
        .collect();
    let mut added = 0;
    for (key, operations) in history.by_key() {
        let adds = |o: &Numbered<'_>| matches!(o.1.ask, Ask::Add(_));
        let adds: Vec<_> = operations.into_iter().filter(adds).collect();
        if !adds.is_empty() {
            added += adds.len();
            keys.insert(key, adds);
        }
    }
    for (key, operations) in &keys {
        let holds = i128::from(stored.get(*key).copied().unwrap_or_default());
        let (mut least, mut most) = (0, 0);
        for (_, operation) in operations {
            let (low, high) = range(operation);
            least += low;
            most += high;
        }
        finding.add("keys", 1);
        for (name, value) in [("told", least), ("asked", most), ("stored", holds)] {
            finding.add(name, u64::try_from(value).unwrap_or_default());
        }
        if holds < least || holds > most {
            finding.violation(|| Counterexample {
                place: format!("counter {key}"),
                expected: match least == most {
                    true => format!("{least}, as {} operations were told", operations.len()),
                    false => format!("{least} to {most}, as clients were told and may have done"),
                },
                seen: format!(
                    "{holds}, off by {}",
                    if holds < least {
                        holds - least
                    } else {
                        holds - most
                    }
                ),
                operations: doubtful(operations, holds > most),
            });
        }
    }
    finding.verdict((added == 0).then(|| "nobody added to a counter: record additions".to_owned()))
}

/// The least and the most that an addition can have added.
fn range(operation: &Operation) -> (i128, i128) {
    let Ask::Add(by) = operation.ask else {
        return (0, 0);
    };
    let by = i128::from(by);
    match operation.outcome {
        Outcome::Ok(_) => (by, by),
        Outcome::Failed(_) => (0, 0),
        Outcome::Unknown => (by.min(0), by.max(0)),
    }
}

/// One counter has too many operations to show. What explains a surplus are those that were said to
/// have failed; no single one explains a lack, so the last acknowledged one stands for all.
fn doubtful(operations: &[Numbered<'_>], surplus: bool) -> Vec<crate::Witness> {
    let explains = |o: &&Numbered<'_>| match o.1.outcome {
        Outcome::Failed(_) => surplus,
        Outcome::Ok(_) => !surplus,
        Outcome::Unknown => false,
    };
    let last = operations.iter().rev().find(explains);
    last.map(witness).into_iter().collect()
}

fn stories(history: &History) -> BTreeMap<(&str, &Value), Story<'_>> {
    let mut stories: BTreeMap<(&str, &Value), Story<'_>> = BTreeMap::new();
    for numbered in (1..).zip(history.operations()) {
        let operation: &Operation = numbered.1;
        let key = operation.key.as_str();
        if let Some(value) = operation.ask.brings() {
            stories
                .entry((key, value))
                .or_default()
                .brought
                .push(numbered);
        }
        let taken = match (&operation.ask, operation.seen()) {
            (Ask::Remove(value), _) => Some(value),
            (Ask::Pop, Some(seen)) if seen.value != Value::Nothing => Some(&seen.value),
            _ => None,
        };
        if let Some(value) = taken {
            stories
                .entry((key, value))
                .or_default()
                .taken
                .push(numbered);
        }
    }
    stories
}

/// Whoever pops and is not told what, may hold any one item of that queue.
fn pops_in_doubt(history: &History) -> BTreeMap<&str, u64> {
    let mut pops: BTreeMap<&str, u64> = BTreeMap::new();
    for operation in history.operations() {
        if operation.ask == Ask::Pop && operation.outcome == Outcome::Unknown {
            *pops.entry(&operation.key).or_default() += 1;
        }
    }
    pops
}

impl Story<'_> {
    fn brought_for_sure(&self) -> bool {
        self.brought
            .iter()
            .any(|(_, o)| matches!(o.outcome, Outcome::Ok(_)))
    }

    fn brought_perhaps(&self) -> bool {
        self.brought
            .iter()
            .any(|(_, o)| !matches!(o.outcome, Outcome::Failed(_)))
    }

    fn end(&self) -> End {
        if !self.brought_perhaps() {
            return End::Gone;
        }
        let happened = |o: &&Numbered<'_>| !matches!(o.1.outcome, Outcome::Failed(_));
        // A doubtful one has no end: it may still come.
        let ended = |o: &Numbered<'_>, next: &Numbered<'_>| {
            matches!(o.1.outcome, Outcome::Ok(_)) && o.1.is_before(next.1)
        };
        let (brought, taken) = (&self.brought, &self.taken);
        let sure = |o: &&Numbered<'_>| matches!(o.1.outcome, Outcome::Ok(_));
        // Brought after all that could take it away, or taken after all that could bring it.
        let last = |these: &[Numbered<'_>], those: &[Numbered<'_>]| {
            these
                .iter()
                .filter(sure)
                .any(|this| those.iter().filter(happened).all(|that| ended(that, this)))
        };
        match (last(brought, taken), last(taken, brought)) {
            (true, _) => End::There,
            (_, true) => End::Gone,
            _ => End::Either,
        }
    }
}

fn example(key: &str, value: &Value, story: &Story<'_>, told: &str, seen: &str) -> Counterexample {
    let happened = |o: &&Numbered<'_>| matches!(o.1.outcome, Outcome::Ok(_));
    let all = || story.brought.iter().chain(&story.taken);
    // The last acknowledged words about it decide; without any, what failed is all there is.
    let mut operations: Vec<_> = all().filter(happened).map(witness).collect();
    if operations.is_empty() {
        operations = all().map(witness).collect();
    }
    let skipped = operations.len().saturating_sub(4);
    Counterexample {
        place: format!("{value} of {key}"),
        expected: format!("it {told}"),
        seen: seen.to_owned(),
        operations: operations.split_off(skipped),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(begin_us: u64, item: i64) -> Operation {
        Operation::begun(1, "k", begin_us, Ask::Insert(item.into()))
    }

    fn remove(begin_us: u64, item: i64) -> Operation {
        Operation::begun(2, "k", begin_us, Ask::Remove(item.into()))
    }

    fn found(operations: Vec<Operation>, stored: &[i64]) -> Verdict {
        let stored: Vec<Item> = stored.iter().map(|&value| Item::new("k", value)).collect();
        items(&History::of(operations).unwrap(), &stored)
    }

    #[test]
    fn what_was_acknowledged_is_stored_and_what_is_in_doubt_may_be() {
        let told = || vec![insert(1, 1).ok(2, true), insert(3, 2).unknown(9)];
        assert!(found(told(), &[1]).held());
        assert!(found(told(), &[1, 2]).held());
        let lost = found(told(), &[2]);
        assert_eq!((lost.count("lost"), lost.count("unasked")), (1, 0));
        assert_eq!(lost.examples[0].operations[0].number, 1);
        assert_eq!(found(told(), &[1, 3]).count("unasked"), 1);
        assert!(found(vec![], &[]).examples.is_empty());
        assert!(!found(vec![], &[]).held(), "nothing was looked at");
    }

    #[test]
    fn what_failed_for_sure_is_not_stored() {
        let verdict = found(
            vec![insert(1, 1).failed(2, "503"), insert(1, 2).ok(3, true)],
            &[1, 2],
        );
        assert_eq!(verdict.count("unasked"), 1);
        assert_eq!(verdict.examples[0].operations.len(), 1);
    }

    #[test]
    fn what_was_removed_is_gone_unless_the_order_is_open() {
        let after = || vec![insert(1, 1).ok(2, true), remove(3, 1).ok(4, true)];
        assert!(found(after(), &[]).held());
        assert!(found(after(), &[1]).is_broken());
        let meanwhile = || vec![insert(1, 1).ok(4, true), remove(3, 1).ok(5, true)];
        assert!(found(meanwhile(), &[]).held() && found(meanwhile(), &[1]).held());
        let doubtful = || vec![insert(1, 1).ok(2, true), remove(3, 1).unknown(4)];
        assert!(found(doubtful(), &[]).held() && found(doubtful(), &[1]).held());
        let again = || [after(), vec![insert(5, 1).ok(6, true)]].concat();
        assert!(found(again(), &[1]).held());
        assert!(found(again(), &[]).is_broken());
    }

    #[test]
    fn a_pop_without_an_answer_may_hold_one_item_of_its_queue() {
        let push = |key, item: i64| Operation::begun(1, key, 1, Ask::Push(item.into()));
        let pop = Operation::begun(2, "k", 3, Ask::Pop).unknown(4);
        let pushes = [push("k", 1), push("k", 2), push("other", 1)];
        let told = pushes.map(|push| push.ok(2, Value::Nothing));
        let history = History::of(told.into_iter().chain([pop])).unwrap();
        assert_eq!(items(&history, &[]).count("lost"), 2);
    }

    #[test]
    fn a_counter_is_between_what_was_told_and_what_was_asked() {
        let add = |begin_us, by| Operation::begun(1, "k", begin_us, Ask::Add(by));
        let history = History::of([
            add(1, 2).ok(2, Value::Nothing),
            add(3, 3).unknown(4),
            add(5, 10).failed(6, "503"),
            add(7, -1).unknown(8),
        ])
        .unwrap();
        let holds = |count| counts(&history, &BTreeMap::from([("k".to_owned(), count)]));
        for count in [1, 2, 4, 5] {
            assert!(holds(count).held(), "{count}");
        }
        assert_eq!(
            holds(0).examples[0].expected,
            "1 to 5, as clients were told and may have done"
        );
        assert_eq!(holds(6).examples[0].seen, "6, off by 1");
        assert!(counts(&history, &BTreeMap::new()).is_broken());
        let strange = BTreeMap::from([("k".to_owned(), 2), ("z".to_owned(), 1)]);
        assert!(
            counts(&history, &strange).is_broken(),
            "nobody counted on z"
        );
    }
}
