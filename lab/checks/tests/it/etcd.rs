//! Recorded histories with known verdicts: 102 of etcd by Jepsen, four of a key-value store.
//!
//! Where they come from and how they are written stands in `tests/data/README.md`.

use std::collections::BTreeMap;

use checks::linear::{Claim, Model, Register};
use checks::{Ask, Effort, History, Operation, Value, linearizable};

use crate::events;

#[test]
fn every_history_of_etcd_gets_the_verdict_that_is_known() {
    let mut verdicts = BTreeMap::new();
    let mut lengths = Vec::new();
    for line in include_str!("../data/jepsen_etcd.txt").lines() {
        let mut words = line.splitn(3, ' ');
        let (name, known) = (words.next().unwrap(), words.next().unwrap());
        let history = events::history("r", words.next().unwrap());
        let verdict = linearizable(&history, &Register::default(), Effort::default());
        let found = match (verdict.held(), verdict.is_broken()) {
            (true, _) => "good",
            (_, true) => "bad",
            _ => "unknown",
        };
        assert_eq!(found, known, "{name}: {verdict}");
        *verdicts.entry(known).or_insert(0) += 1;
        for example in &verdict.examples {
            // What is shown is a history of its own, and no better than the whole.
            let shown = example.operations.iter().map(|w| w.operation.clone());
            let shown = History::of(shown).unwrap();
            let again = linearizable(&shown, &Register::default(), Effort::default());
            assert!(again.is_broken(), "{name}: {again}");
            lengths.push(shown.operations().len());
        }
    }
    assert_eq!(verdicts, BTreeMap::from([("bad", 79), ("good", 23)]));
    // Values are few and often in doubt here, so some take more; the whole has 170 operations.
    lengths.sort_unstable();
    assert!(lengths[39] <= 10 && lengths[78] <= 50, "{lengths:?}");
}

/// A text that is written, read, and appended to.
struct Appended;

impl Model for Appended {
    type State = String;

    fn name(&self) -> &'static str {
        "text"
    }

    fn initial(&self, _key: &str) -> String {
        String::new()
    }

    fn knows(&self, ask: &Ask) -> bool {
        matches!(ask, Ask::Read | Ask::Push(_) | Ask::Write(_))
    }

    fn step(&self, state: &String, claim: Claim<'_>) -> Option<String> {
        match claim.ask {
            Ask::Push(Value::Text(more)) => Some(format!("{state}{more}")),
            Ask::Write(Value::Text(text)) => Some(text.clone()),
            Ask::Read => {
                let seen = claim.seen.is_none_or(|seen| *seen == state.as_str().into());
                seen.then(|| state.clone())
            }
            _ => None,
        }
    }
}

#[test]
fn a_store_of_many_keys_gets_the_verdict_that_is_known() {
    for (name, good, text) in [
        ("c01 good", true, include_str!("../data/kv_c01_good.txt")),
        ("c01 bad", false, include_str!("../data/kv_c01_bad.txt")),
        ("c10 good", true, include_str!("../data/kv_c10_good.txt")),
        ("c10 bad", false, include_str!("../data/kv_c10_bad.txt")),
    ] {
        let verdict = linearizable(&store(text), &Appended, Effort::default());
        assert_eq!(
            (verdict.held(), verdict.is_broken()),
            (good, !good),
            "{name}: {verdict}"
        );
    }
}

fn store(text: &str) -> History {
    let mut pending: BTreeMap<u32, Operation> = BTreeMap::new();
    let mut history = History::new();
    for (at_us, event) in (1..).zip(text.lines()) {
        let digits = event.find(|c: char| !c.is_ascii_digit()).unwrap();
        let client: u32 = event[..digits].parse().unwrap();
        let (what, rest) = event[digits..].split_at(1);
        let (key, written) = rest.split_once(' ').unwrap_or((rest, "-"));
        // Items end with a mark, so that no two texts look alike when they are joined.
        let value = |text: &str| match text {
            "-" => Value::from(""),
            items => Value::from(
                items
                    .split('+')
                    .map(|item| format!("{item};"))
                    .collect::<String>(),
            ),
        };
        let ask = match what {
            "g" => Ask::Read,
            "p" => Ask::Write(value(written)),
            "a" => Ask::Push(value(written)),
            _ => {
                let begun = pending.remove(&client).unwrap();
                let seen = if what == "=" {
                    value(rest)
                } else {
                    Value::Nothing
                };
                history.push(begun.ok(at_us, seen)).unwrap();
                continue;
            }
        };
        pending.insert(client, Operation::begun(client, key, at_us, ask));
    }
    for operation in pending.into_values() {
        history.push(operation).unwrap();
    }
    history
}
