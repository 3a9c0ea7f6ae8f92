//! A short notation for histories as sequences of events, one microsecond apart.
//!
//! A client's number and what it does: `r` reads, `w5` writes, `c5,6` compares and sets, `+5` pushes,
//! `-` pops. Its answer: `=5` or `=nil`, `.` for done, `!` for no (a compare-and-set that did not
//! swap, any other that failed for sure), `?` for unknown. What is never answered is unknown.

use std::collections::BTreeMap;

use checks::{Ask, History, Operation, Value};

/// The history of these events on one key.
pub(crate) fn history(key: &str, events: &str) -> History {
    let mut pending: BTreeMap<u32, Operation> = BTreeMap::new();
    let mut done = Vec::new();
    for (at_us, event) in (1..).zip(events.split_whitespace()) {
        let digits = event.find(|c: char| !c.is_ascii_digit()).unwrap();
        let client: u32 = event[..digits].parse().unwrap();
        let (what, value) = event[digits..].split_at(1);
        match asked(what, value) {
            Some(ask) => {
                let operation = Operation::begun(client, key, at_us, ask);
                assert!(
                    pending.insert(client, operation).is_none(),
                    "{event} at {at_us}"
                );
            }
            None => {
                let begun = pending.remove(&client).unwrap();
                done.push(answered(begun, at_us, what, value));
            }
        }
    }
    History::of(done.into_iter().chain(pending.into_values())).unwrap()
}

fn asked(what: &str, value: &str) -> Option<Ask> {
    Some(match what {
        "r" => Ask::Read,
        "w" => Ask::Write(parse(value)),
        "c" => {
            let (from, to) = value.split_once(',').unwrap();
            Ask::Cas {
                from: parse(from),
                to: parse(to),
            }
        }
        "+" => Ask::Push(parse(value)),
        "-" => Ask::Pop,
        _ => return None,
    })
}

fn answered(begun: Operation, end_us: u64, what: &str, value: &str) -> Operation {
    let is_cas = matches!(begun.ask, Ask::Cas { .. });
    match what {
        "=" => begun.ok(end_us, parse(value)),
        "." if is_cas => begun.ok(end_us, true),
        "." => begun.ok(end_us, Value::Nothing),
        "!" if is_cas => begun.ok(end_us, false),
        "!" => begun.failed(end_us, "refused"),
        "?" => begun.unknown(end_us),
        _ => panic!("no event: {what}"),
    }
}

fn parse(value: &str) -> Value {
    match value {
        "nil" => Value::Nothing,
        number => Value::Int(number.parse().unwrap()),
    }
}
