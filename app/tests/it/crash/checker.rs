//! Reconciles what clients were told with what is there. Pure, so that planted faults prove it.

use std::collections::BTreeMap;

use super::history::{History, State, Told};

/// Every way in which `state` contradicts `history`; empty when there is none.
pub(crate) fn contradictions(history: &History, state: &State) -> Vec<String> {
    let mut found = Vec::new();
    links(history, state, &mut found);
    clicks(history, state, &mut found);
    found
}

fn links(history: &History, state: &State, found: &mut Vec<String>) {
    let mut by_target: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (code, target) in &state.links {
        by_target.entry(target).or_default().push(code);
    }
    for create in &history.creates {
        let there = by_target
            .get(create.target.as_str())
            .map_or(&[][..], Vec::as_slice);
        let target = &create.target;
        match (create.told, there) {
            (Told::Done, []) => found.push(format!("lost: {target} was acknowledged")),
            (Told::Done, [code]) if create.code.as_deref() != Some(code) => {
                found.push(format!(
                    "changed: {target} was told {:?}, is {code}",
                    create.code
                ));
            }
            (Told::Refused, [_, ..]) => found.push(format!("ghost: {target} was refused")),
            (_, [_, _, ..]) => found.push(format!("double: {target} is there as {there:?}")),
            _ => {}
        }
    }
}

fn clicks(history: &History, state: &State, found: &mut Vec<String>) {
    for (code, clicks) in &history.clicks {
        let counted = state.clicks.get(code).copied().unwrap_or(0);
        if counted < clicks.redirected {
            let told = clicks.redirected;
            found.push(format!(
                "lost clicks: {code} redirected {told} times and counts {counted}"
            ));
        }
        if counted > clicks.attempted {
            let sent = clicks.attempted;
            found.push(format!(
                "invented clicks: {code} was asked {sent} times and counts {counted}"
            ));
        }
        if let Some(limit) = history.limits.get(code)
            && (clicks.redirected > *limit || counted > *limit)
        {
            let told = clicks.redirected;
            found.push(format!(
                "over the limit: {code} allows {limit}, redirected {told}, counts {counted}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::history::{Clicks, Create};
    use super::*;

    fn create(target: &str, code: &str, told: Told) -> Create {
        let code = (told == Told::Done).then(|| code.to_owned());
        Create {
            target: target.to_owned(),
            key: String::new(),
            link: Value::Null,
            code,
            told,
        }
    }

    fn sound() -> (History, State) {
        let history = History {
            creates: vec![
                create("u1", "a", Told::Done),
                create("u2", "b", Told::Unknown),
                create("u3", "c", Told::Unknown),
                create("u4", "d", Told::Refused),
            ],
            clicks: [(
                "a".to_owned(),
                Clicks {
                    attempted: 10,
                    redirected: 8,
                },
            )]
            .into(),
            limits: [("a".to_owned(), 9)].into(),
        };
        let links = [("a", "u1"), ("b", "u2")];
        let state = State {
            links: links
                .map(|(code, target)| (code.to_owned(), target.to_owned()))
                .to_vec(),
            clicks: [("a".to_owned(), 9)].into(),
        };
        (history, state)
    }

    fn only(found: &[String], what: &str) {
        assert!(found.len() == 1 && found[0].starts_with(what), "{found:?}");
    }

    #[test]
    fn a_sound_history_has_no_contradiction() {
        let (history, state) = sound();
        assert_eq!(contradictions(&history, &state), Vec::<String>::new());
    }

    #[test]
    fn a_planted_loss_of_an_acknowledged_link_is_found() {
        let (history, mut state) = sound();
        state.links.remove(0);
        only(&contradictions(&history, &state), "lost: u1");
    }

    #[test]
    fn a_planted_second_link_for_one_key_is_found() {
        let (history, mut state) = sound();
        state.links.push(("z".to_owned(), "u2".to_owned()));
        only(&contradictions(&history, &state), "double: u2");
    }

    #[test]
    fn a_planted_change_of_a_code_and_a_planted_ghost_are_found() {
        let (history, mut state) = sound();
        state.links[0].0 = "y".to_owned();
        only(&contradictions(&history, &state), "changed: u1");
        let (history, mut state) = sound();
        state.links.push(("d".to_owned(), "u4".to_owned()));
        only(&contradictions(&history, &state), "ghost: u4");
    }

    #[test]
    fn planted_miscounts_are_found() {
        let (history, mut state) = sound();
        state.clicks.insert("a".to_owned(), 7);
        only(&contradictions(&history, &state), "lost clicks: a");
        let (mut history, mut state) = sound();
        history.limits.clear();
        state.clicks.insert("a".to_owned(), 11);
        only(&contradictions(&history, &state), "invented clicks: a");
        let (mut history, state) = sound();
        history.limits.insert("a".to_owned(), 7);
        only(&contradictions(&history, &state), "over the limit: a");
    }
}
