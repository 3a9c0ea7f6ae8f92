//! Each acknowledged cause has exactly one effect, a doubtful one at most one, and nothing has an
//! effect without a cause.

use std::collections::BTreeMap;

use crate::history::History;
use crate::operation::{Item, Operation, Outcome, Value};
use crate::verdict::{Counterexample, Finding, Verdict, witness};

/// Compares causes with the effects that were seen of them.
///
/// A cause is an item that a write, push or insert brought, known by its key and value; asking for it
/// again, as a client does that retries with the same idempotency key, is the same cause. It is
/// acknowledged when one of its operations was, in doubt when one is unknown, and none when all
/// failed. Each entry of `effects` is one effect.
///
/// Counts: `acknowledged`, `unknown`, `effects`; `lost` are causes without effect, `doubled` are
/// effects beyond the first, `uncaused` are effects of nothing that was asked for.
#[must_use]
pub fn exactly_once(causes: &History, effects: &[Item]) -> Verdict {
    let mut asked: BTreeMap<(&str, &Value), Vec<(usize, &Operation)>> = BTreeMap::new();
    for (number, operation) in (1..).zip(causes.operations()) {
        if let Some(value) = operation.ask.brings() {
            let of_cause = asked.entry((operation.key.as_str(), value)).or_default();
            of_cause.push((number, operation));
        }
    }
    let mut seen: BTreeMap<(&str, &Value), u64> = BTreeMap::new();
    for effect in effects {
        *seen
            .entry((effect.key.as_str(), &effect.value))
            .or_default() += 1;
    }
    let mut finding = Finding::new("exactly_once");
    for name in ["acknowledged", "unknown", "lost", "doubled", "uncaused"] {
        finding.add(name, 0);
    }
    finding.add("effects", effects.len() as u64);
    for (cause, operations) in &asked {
        let times = seen.remove(cause).unwrap_or_default();
        judge(&mut finding, *cause, operations, times);
    }
    for (cause, times) in seen {
        judge(&mut finding, cause, &[], times);
    }
    let idle = finding.count("acknowledged") + finding.count("unknown") == 0;
    finding.verdict(
        idle.then(|| {
            "no cause was acknowledged or in doubt: record what clients asked for".to_owned()
        }),
    )
}

fn judge(
    finding: &mut Finding,
    (key, value): (&str, &Value),
    operations: &[(usize, &Operation)],
    times: u64,
) {
    let any = |what: fn(&Outcome) -> bool| operations.iter().any(|(_, o)| what(&o.outcome));
    let acknowledged = any(|o| matches!(o, Outcome::Ok(_)));
    let doubtful = any(|o| *o == Outcome::Unknown);
    let (kind, much, expected) = match (acknowledged, doubtful, times) {
        (false, false, 1..) => ("uncaused", times, "no effect without a cause"),
        (true, _, 0) => ("lost", 1, "one effect of what was acknowledged"),
        (true, _, 2..) => ("doubled", times - 1, "one effect of what was acknowledged"),
        (false, true, 2..) => (
            "doubled",
            times - 1,
            "at most one effect of what is in doubt",
        ),
        _ => ("lost", 0, ""),
    };
    match (acknowledged, doubtful) {
        (true, _) => finding.add("acknowledged", 1),
        (false, true) => finding.add("unknown", 1),
        (false, false) => {}
    }
    if much > 0 {
        finding.add(kind, much);
        finding.violation(|| Counterexample {
            place: format!("{value} of {key}"),
            expected: expected.to_owned(),
            seen: format!("{times} effects: {kind}"),
            operations: operations.iter().map(witness).collect(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Ask;

    fn push(begin_us: u64, item: i64) -> Operation {
        Operation::begun(1, "orders", begin_us, Ask::Push(item.into()))
    }

    #[test]
    fn lost_doubled_and_uncaused_are_told_apart() {
        let causes = History::of([
            push(1, 1).ok(2, Value::Nothing),
            push(3, 2).ok(4, Value::Nothing),
            push(5, 3).unknown(6),
            push(7, 4).failed(8, "503"),
            // Tried again: one cause, acknowledged at last.
            push(9, 5).unknown(10),
            push(11, 5).ok(12, Value::Nothing),
        ])
        .unwrap();
        let found = |effects: &[i64]| {
            let effects: Vec<Item> = effects.iter().map(|&e| Item::new("orders", e)).collect();
            let verdict = exactly_once(&causes, &effects);
            let counts = ["lost", "doubled", "uncaused"].map(|name| verdict.count(name));
            assert_eq!(verdict.held(), counts == [0, 0, 0], "{verdict}");
            counts
        };
        assert_eq!(found(&[1, 2, 5]), [0, 0, 0]);
        assert_eq!(found(&[5, 3, 1, 2]), [0, 0, 0]);
        assert_eq!(found(&[1, 5]), [1, 0, 0]);
        assert_eq!(found(&[1, 2, 2, 2, 5, 5]), [0, 3, 0]);
        assert_eq!(found(&[1, 2, 3, 3, 5]), [0, 1, 0]);
        assert_eq!(found(&[1, 2, 4, 5, 9, 9]), [0, 0, 3]);
    }

    #[test]
    fn without_a_cause_nothing_is_proved() {
        assert!(!exactly_once(&History::new(), &[]).held());
    }
}
