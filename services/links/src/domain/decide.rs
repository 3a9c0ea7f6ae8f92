//! What happens to a visitor of a link. Pure, so that the redirect and `explain` cannot differ.

use contracts::links::{ExplainStep, Outcome};

use super::agent::Bot;
use super::route::Route;
use super::rule::{self, Visitor};

/// What happens to a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Goes to the target of this rule, or the link's own.
    Redirect(Option<usize>),
    /// The same, if the store grants a click.
    Ask(Option<usize>),
    /// The link has ended.
    Expired,
    /// The link is switched off.
    Disabled,
    /// A password is needed first.
    Password,
    /// A fetcher of previews gets a page without the target.
    Preview,
}

/// Decides by the route alone. `unlocked`: the visitor has given the password.
pub(crate) fn decide(route: &Route, visitor: &Visitor<'_>, unlocked: bool) -> Decision {
    if !route.enabled {
        return Decision::Disabled;
    }
    if route.expires_at.is_some_and(|end| visitor.now >= end) {
        return Decision::Expired;
    }
    // A chat that fetches a preview must not use up an invitation.
    if route.limited && visitor.agent().bot == Some(Bot::Unfurler) {
        return Decision::Preview;
    }
    if route.password_version.is_some() && !unlocked {
        return Decision::Password;
    }
    let rule = route.rules.iter().position(|r| rule::fires(r, visitor));
    if route.limited {
        Decision::Ask(rule)
    } else {
        Decision::Redirect(rule)
    }
}

/// The same decision with its reasons. `left`: the clicks that are left, if they are limited.
pub(crate) fn explain(
    route: &Route,
    visitor: &Visitor<'_>,
    left: Option<u32>,
) -> (Outcome, Option<usize>, Vec<ExplainStep>) {
    let mut steps = gates(route, visitor, left);
    let decision = decide(route, visitor, false);
    let rules = decide(route, visitor, true);
    let fired = match rules {
        Decision::Redirect(rule) | Decision::Ask(rule) => rule,
        _ => None,
    };
    for (at, one) in route.rules.iter().enumerate() {
        let (passed, reason) = match fired {
            Some(first) if at > first => (false, format!("rule {first} fired before it")),
            _ => rule::reason(one, visitor),
        };
        let name = one
            .name
            .as_ref()
            .map_or_else(String::new, |n| format!(" ({n})"));
        steps.push(ExplainStep {
            step: format!("rule {at}{name}"),
            passed,
            reason,
        });
    }
    let outcome = match decision {
        Decision::Redirect(_) => Outcome::Redirect,
        Decision::Ask(_) if left == Some(0) => Outcome::Exhausted,
        Decision::Ask(_) => Outcome::Redirect,
        Decision::Expired => Outcome::Expired,
        Decision::Disabled => Outcome::Disabled,
        Decision::Password => Outcome::Password,
        Decision::Preview => Outcome::Preview,
    };
    (outcome, fired, steps)
}

fn gates(route: &Route, visitor: &Visitor<'_>, left: Option<u32>) -> Vec<ExplainStep> {
    let step = |step: &str, passed: bool, reason: String| ExplainStep {
        step: step.to_owned(),
        passed,
        reason,
    };
    let ended = route.expires_at.is_some_and(|end| visitor.now >= end);
    let end = route
        .expires_at
        .map(|at| contracts::links::Moment(kernel::Timestamp(at)));
    let unfurler = visitor.agent().bot == Some(Bot::Unfurler);
    let expiry = match end {
        None => "the link has no end".to_owned(),
        Some(end) if ended => format!("the link ended at {end}"),
        Some(end) => format!("the link ends at {end}"),
    };
    let clicks = match left {
        None => "clicks are not limited".to_owned(),
        Some(_) if unfurler => "a fetcher of previews gets a page and uses up no click".to_owned(),
        Some(0) => "every click is used".to_owned(),
        Some(n) => format!("{n} clicks are left; this visit would use one"),
    };
    let password = match route.password_version {
        None => "no password is needed",
        Some(_) => "a visitor is asked for the password first",
    };
    let enabled = if route.enabled {
        "the link is switched on"
    } else {
        "the link is switched off"
    };
    vec![
        step("enabled", route.enabled, enabled.to_owned()),
        step("expiry", !ended, expiry),
        step(
            "clicks",
            left != Some(0) && !(left.is_some() && unfurler),
            clicks,
        ),
        step(
            "password",
            route.password_version.is_none(),
            password.to_owned(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use contracts::links::{Device, LinkSnapshot, Moment, Rule};
    use kernel::{Id, Timestamp};
    use proptest::prelude::*;

    use super::*;

    const IPHONE: &[u8] = b"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Mobile Safari";
    const NOW: i64 = 1_000_000;

    fn route(rules: Vec<Rule>) -> Route {
        let body = LinkSnapshot {
            url: "https://own.example/".to_owned(),
            enabled: true,
            status: 302,
            rules,
            ..LinkSnapshot::default()
        };
        Route::of(1, Id::from_u128(1), 1, body, None)
    }

    fn rule(url: &str) -> Rule {
        Rule {
            url: url.to_owned(),
            ..Rule::default()
        }
    }

    fn rules() -> Vec<Rule> {
        vec![
            Rule {
                until: Some(Moment(Timestamp(NOW))),
                ..rule("https://past.example/")
            },
            Rule {
                devices: vec![Device::Android],
                ..rule("https://android.example/")
            },
            Rule {
                devices: vec![Device::Mobile],
                languages: vec!["de".to_owned()],
                ..rule("https://de.example/")
            },
            Rule {
                from: Some(Moment(Timestamp(0))),
                ..rule("https://rest.example/")
            },
        ]
    }

    #[test]
    fn the_first_rule_whose_conditions_all_hold_fires() {
        let route = route(rules());
        let german = Visitor::new(IPHONE, "de-AT,de;q=0.9,en;q=0.8", NOW);
        assert_eq!(decide(&route, &german, false), Decision::Redirect(Some(2)));
        let english = Visitor::new(IPHONE, "en, de;q=0.9", NOW);
        assert_eq!(decide(&route, &english, false), Decision::Redirect(Some(3)));
        let early = Visitor::new(b"", "", -1);
        assert_eq!(decide(&route, &early, false), Decision::Redirect(Some(0)));
    }

    #[test]
    fn the_reasons_say_what_is_and_what_was_asked_for() {
        let route = route(rules());
        let visitor = Visitor::new(IPHONE, "en", NOW);
        let (outcome, rule, steps) = explain(&route, &visitor, None);
        assert_eq!((outcome, rule), (Outcome::Redirect, Some(3)));
        let reasons: Vec<&str> = steps.iter().skip(4).map(|s| s.reason.as_str()).collect();
        assert_eq!(
            reasons,
            [
                "its time is over",
                "the device is ios, the rule asks for android",
                "the preferred language is en, the rule asks for de",
                "every condition holds; it is the first such rule",
            ]
        );
    }

    #[test]
    fn the_end_is_at_the_very_microsecond() {
        let mut route = route(Vec::new());
        route.expires_at = Some(NOW);
        assert_eq!(
            decide(&route, &Visitor::new(b"", "", NOW - 1), false),
            Decision::Redirect(None)
        );
        assert_eq!(
            decide(&route, &Visitor::new(b"", "", NOW), false),
            Decision::Expired
        );
    }

    #[test]
    fn a_preview_uses_up_no_click() {
        let mut route = route(Vec::new());
        route.limited = true;
        let slack = Visitor::new(b"Slackbot-LinkExpanding 1.0", "", NOW);
        assert_eq!(decide(&route, &slack, false), Decision::Preview);
        assert_eq!(
            decide(&route, &Visitor::new(b"curl/8", "", NOW), false),
            Decision::Ask(None)
        );
    }

    proptest! {
        #[test]
        fn what_explain_says_is_what_happens(
            agent in prop::sample::select(vec!["", "curl/8", "Slackbot 1.0", "Googlebot/2.1", "x (iPhone)", "x Android", "x (Windows NT 10.0)"]),
            language in prop::sample::select(vec!["", "de", "en;q=0.1, de", "fr"]),
            now in -2..5_i64, enabled: bool, expires: Option<bool>, left in prop::option::of(0..2_u32), password: bool,
        ) {
            let mut route = route(rules());
            route.enabled = enabled;
            route.expires_at = expires.map(|gone| if gone { now } else { now + 1 });
            route.limited = left.is_some();
            route.password_version = password.then_some(1);
            let visitor = Visitor::new(agent.as_bytes(), language, now);
            let (outcome, rule, _) = explain(&route, &visitor, left);
            match decide(&route, &visitor, false) {
                Decision::Redirect(fired) => prop_assert_eq!((outcome, rule), (Outcome::Redirect, fired)),
                Decision::Ask(fired) => {
                    prop_assert_eq!(rule, fired);
                    let exhausted = left == Some(0);
                    prop_assert_eq!(outcome, if exhausted { Outcome::Exhausted } else { Outcome::Redirect });
                }
                Decision::Expired => prop_assert_eq!(outcome, Outcome::Expired),
                Decision::Disabled => prop_assert_eq!(outcome, Outcome::Disabled),
                Decision::Password => prop_assert_eq!(outcome, Outcome::Password),
                Decision::Preview => prop_assert_eq!(outcome, Outcome::Preview),
            }
        }
    }
}
