//! Whether a rule fires for a visitor, and why.

use std::cell::OnceCell;

use contracts::links::Rule;

use super::agent::{self, Agent};
use super::language;

/// Who comes, and when. What costs something to find out is found out when a rule asks.
pub(crate) struct Visitor<'a> {
    agent_text: &'a [u8],
    language_text: &'a str,
    /// The moment, in microseconds since the epoch.
    pub(crate) now: i64,
    agent: OnceCell<Agent>,
}

impl<'a> Visitor<'a> {
    /// A visitor with these headers.
    pub(crate) const fn new(agent: &'a [u8], language: &'a str, now: i64) -> Self {
        Self {
            agent_text: agent,
            language_text: language,
            now,
            agent: OnceCell::new(),
        }
    }

    /// What the agent says.
    pub(crate) fn agent(&self) -> Agent {
        *self.agent.get_or_init(|| agent::classify(self.agent_text))
    }

    /// The languages wanted, best first.
    pub(crate) fn languages(&self) -> Vec<language::Wanted<'a>> {
        language::wanted(self.language_text)
    }
}

/// Whether the rule fires.
pub(crate) fn fires(rule: &Rule, visitor: &Visitor<'_>) -> bool {
    window(rule, visitor.now).is_ok() && device(rule, visitor) && speaks(rule, visitor)
}

/// Whether the rule fires, and why.
pub(crate) fn reason(rule: &Rule, visitor: &Visitor<'_>) -> (bool, String) {
    if let Err(why) = window(rule, visitor.now) {
        return (false, why.to_owned());
    }
    if !device(rule, visitor) {
        let wanted: Vec<&str> = rule.devices.iter().map(|d| d.name()).collect();
        let is = if visitor.agent().bot.is_some() {
            "bot"
        } else {
            visitor.agent().platform.name()
        };
        return (
            false,
            format!(
                "the device is {is}, the rule asks for {}",
                wanted.join(" or ")
            ),
        );
    }
    if !speaks(rule, visitor) {
        let wanted = visitor.languages();
        let best: Vec<&str> = language::best(&wanted).collect();
        let is = if best.is_empty() {
            "unknown".to_owned()
        } else {
            best.join(" or ")
        };
        let asked = rule.languages.join(" or ");
        return (
            false,
            format!("the preferred language is {is}, the rule asks for {asked}"),
        );
    }
    (
        true,
        "every condition holds; it is the first such rule".to_owned(),
    )
}

fn window(rule: &Rule, now: i64) -> Result<(), &'static str> {
    if rule.from.is_some_and(|from| now < from.0.micros()) {
        return Err("its time has not come");
    }
    if rule.until.is_some_and(|until| now >= until.0.micros()) {
        return Err("its time is over");
    }
    Ok(())
}

fn device(rule: &Rule, visitor: &Visitor<'_>) -> bool {
    rule.devices.is_empty() || rule.devices.iter().any(|d| visitor.agent().is(*d))
}

fn speaks(rule: &Rule, visitor: &Visitor<'_>) -> bool {
    if rule.languages.is_empty() {
        return true;
    }
    let wanted = visitor.languages();
    language::best(&wanted).any(|tag| {
        rule.languages
            .iter()
            .any(|range| language::takes(range, tag))
    })
}
