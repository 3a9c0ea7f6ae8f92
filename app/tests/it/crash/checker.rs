//! Reconciles what clients were told with what is there. Pure, so that planted faults prove it.

use std::collections::BTreeMap;

use super::history::{Found, History, Link, State, Told};

/// Every way in which `state` contradicts `history`; empty when there is none.
pub(crate) fn contradictions(history: &History, state: &State) -> Vec<String> {
    let mut found = Vec::new();
    let mut by_name: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
    for link in &state.links {
        by_name.entry(&link.name).or_default().push(link);
    }
    for link in &history.links {
        let there = by_name.get(link.name.as_str()).map_or(&[][..], |all| all);
        presence(link, there, &mut found);
        if let (Told::Done, [one]) = (link.told, there) {
            content(link, one, &mut found);
            let counted = state.clicks.get(&one.code).copied().unwrap_or(0);
            clicks(link, counted, &mut found);
        }
    }
    committed(history, state, &mut found);
    found
}

/// It is there once if it was acknowledged, and not if it was refused or removed.
fn presence(link: &Link, there: &[&Found], found: &mut Vec<String>) {
    let name = &link.name;
    match (link.told, there) {
        (_, [_, _, ..]) => found.push(format!("double: {name} is there as {there:?}")),
        (Told::Refused, [_]) => found.push(format!("ghost: {name} was refused")),
        (Told::Done, [_]) if link.is_gone() => {
            found.push(format!("risen: {name} was removed"));
        }
        (Told::Done, []) if link.is_settled() && !link.is_gone() => {
            found.push(format!("lost: {name} was acknowledged"));
        }
        _ => {}
    }
}

/// It is as the last acknowledged change has left it, and each change was made once.
fn content(link: &Link, there: &Found, found: &mut Vec<String>) {
    let name = &link.name;
    if link.code.as_deref() != Some(&there.code) {
        let (told, is) = (&link.code, &there.code);
        found.push(format!("changed: {name} was told {told:?}, is {is}"));
    }
    if !link.is_settled() {
        return;
    }
    if there.target != link.target() {
        let (told, is) = (link.target(), &there.target);
        found.push(format!("lost edit: {name} leads to {is}, not to {told}"));
    }
    if there.version != link.version() {
        let (told, is) = (link.version(), there.version);
        found.push(format!(
            "edits made twice: {name} is at {is}, not at {told}"
        ));
    }
    if let Some((limit, left)) = there.limit {
        let (used, clicks) = (limit.saturating_sub(left), link.clicks);
        if used < clicks.redirected || used > clicks.attempted {
            found.push(format!(
                "miscounted grants: {name} has used {used} of {clicks:?}"
            ));
        }
    }
    if there.limit.map(|(limit, _)| limit) != link.limit() {
        found.push(format!("lost limit: {name} has {:?}", there.limit));
    }
}

fn clicks(link: &Link, counted: u64, found: &mut Vec<String>) {
    let (name, clicks) = (&link.name, link.clicks);
    if counted < clicks.sure {
        found.push(format!(
            "lost clicks: {name} counts {counted} of {clicks:?}"
        ));
    }
    if counted > clicks.attempted {
        found.push(format!(
            "invented clicks: {name} counts {counted} of {clicks:?}"
        ));
    }
    if let Some(limit) = link.limit()
        && (clicks.redirected > limit || counted > limit)
    {
        found.push(format!(
            "over the limit: {name} allows {limit} and counts {counted} of {clicks:?}"
        ));
    }
}

/// What the program called committed is there. Clicks went with the links that are gone.
fn committed(history: &History, state: &State, found: &mut Vec<String>) {
    let most = |link: &Link| {
        let code = link.code.as_ref().filter(|_| !link.is_gone());
        code.map_or(link.clicks.attempted, |code| {
            state.clicks.get(code).copied().unwrap_or(0)
        })
    };
    let there: u64 = history.links.iter().map(most).sum();
    if there < history.committed {
        let told = history.committed;
        found.push(format!(
            "lost groups: {told} were committed, {there} are there"
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::history::{Change, Clicks, Want};
    use super::*;

    fn link(name: &str, code: &str, told: Told) -> Link {
        Link {
            name: name.to_owned(),
            key: String::new(),
            body: json!({ "url": "https://old.example/" }),
            code: (told == Told::Done).then(|| code.to_owned()),
            told,
            changes: Vec::new(),
            clicks: Clicks::default(),
        }
    }

    fn change(want: Want) -> Change {
        Change {
            key: String::new(),
            want,
            told: Told::Done,
        }
    }

    fn there(name: &str, code: &str) -> Found {
        Found {
            name: name.to_owned(),
            code: code.to_owned(),
            target: "https://old.example/".to_owned(),
            version: 1,
            limit: None,
        }
    }

    /// `a` is limited and clicked, `b` came about without an answer, `c` did not, `d` was refused,
    /// `e` was edited, `f` was removed.
    fn sound() -> (History, State) {
        let mut links: Vec<Link> = [
            ("a", Told::Done),
            ("b", Told::Unknown),
            ("c", Told::Unknown),
            ("d", Told::Refused),
            ("e", Told::Done),
            ("f", Told::Done),
        ]
        .map(|(name, told)| link(name, &format!("{name}1"), told))
        .to_vec();
        links[0].body["max_clicks"] = 7.into();
        links[0].changes.push(change(Want::Limit(9)));
        links[0].clicks = Clicks {
            attempted: 10,
            redirected: 8,
            sure: 8,
        };
        let edit = Want::Target("https://new.example/".to_owned());
        links[4].changes.push(change(edit));
        links[5].changes.push(change(Want::Gone));
        links[5].clicks.attempted = 3;
        let mut state = State {
            links: ["a", "b", "e"]
                .map(|name| there(name, &format!("{name}1")))
                .to_vec(),
            clicks: [("a1".to_owned(), 9)].into(),
        };
        (state.links[0].version, state.links[0].limit) = (2, Some((9, 0)));
        state.links[2].version = 2;
        state.links[2].target = "https://new.example/".to_owned();
        let history = History {
            links,
            committed: 12,
        };
        (history, state)
    }

    /// Plants a fault into what is sound; exactly this is found.
    fn planted(what: &str, plant: impl FnOnce(&mut History, &mut State)) {
        let (mut history, mut state) = sound();
        plant(&mut history, &mut state);
        let found = contradictions(&history, &state);
        assert!(found.len() == 1 && found[0].starts_with(what), "{found:?}");
    }

    #[test]
    fn a_sound_history_has_no_contradiction() {
        let (history, state) = sound();
        assert_eq!(contradictions(&history, &state), Vec::<String>::new());
    }

    #[test]
    fn a_planted_loss_of_an_acknowledged_link_is_found() {
        planted("lost: e", |_, state| drop(state.links.remove(2)));
    }

    #[test]
    fn a_planted_second_link_for_one_key_is_found() {
        planted("double: b", |_, state| state.links.push(there("b", "z")));
    }

    #[test]
    fn a_planted_change_of_a_code_and_a_planted_ghost_are_found() {
        planted("changed: e", |_, state| state.links[2].code = "y".into());
        planted("ghost: d", |_, state| state.links.push(there("d", "d1")));
    }

    #[test]
    fn a_planted_return_of_a_removed_link_is_found() {
        planted("risen: f", |_, state| {
            state.links.push(Found {
                version: 2,
                ..there("f", "f1")
            });
        });
    }

    #[test]
    fn a_planted_loss_of_an_edit_and_a_planted_second_one_are_found() {
        planted("lost edit: e", |_, state| {
            state.links[2].target = "https://old.example/".to_owned();
        });
        planted("edits made twice: e", |_, state| {
            state.links[2].version = 3;
        });
    }

    #[test]
    fn planted_faults_of_limits_are_found() {
        planted("miscounted grants: a", |_, state| {
            state.links[0].limit = Some((9, 2));
        });
        planted("lost limit: a", |_, state| {
            state.links[0].limit = Some((20, 11));
        });
        planted("over the limit: a", |history, state| {
            history.links[0].changes[0].want = Want::Limit(7);
            state.links[0].limit = Some((7, 0));
            history.links[0].clicks.redirected = 7;
            history.links[0].clicks.sure = 7;
            history.links[0].body["max_clicks"] = 7.into();
        });
    }

    #[test]
    fn planted_miscounts_are_found() {
        planted("lost clicks: a", |history, state| {
            history.committed = 0;
            state.clicks.insert("a1".to_owned(), 7);
        });
        planted("invented clicks: e", |_, state| {
            state.clicks.insert("e1".to_owned(), 1);
        });
        planted("lost groups: 13", |history, _| history.committed = 13);
    }

    #[test]
    fn a_click_that_was_not_committed_may_be_lost_and_no_other() {
        let (mut history, mut state) = sound();
        history.committed = 10;
        history.links[0].clicks.sure = 7;
        state.clicks.insert("a1".to_owned(), 7);
        assert_eq!(contradictions(&history, &state), Vec::<String>::new());
    }

    #[test]
    fn a_change_without_an_answer_may_have_been_made_or_not() {
        for at in [1, 2] {
            let (mut history, mut state) = sound();
            history.links[4].changes[0].told = Told::Unknown;
            state.links[2].version = at;
            assert_eq!(contradictions(&history, &state), Vec::<String>::new());
        }
    }
}
