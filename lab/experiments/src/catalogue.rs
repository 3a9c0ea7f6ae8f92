//! Whether an experiment speaks of things that exist: knobs, services, metrics, variants.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::claim::Claim;
use crate::formula::compute;
use crate::metrics::{self, Known};
use crate::spec::{CheckSpec, Mistake, Spec, unknown};

/// What exists in the systems that can be loaded.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// Every knob, as `service.knob`, with the settings that it may have.
    pub knobs: Vec<(String, Vec<String>)>,
    /// Every service that can have replicas.
    pub services: Vec<String>,
    /// Which service answers requests below which path.
    pub routes: Vec<(String, String)>,
}

type Fault = (Range<usize>, String);

impl Spec {
    /// Refuses what does not exist, with the nearest that does, and checks that cannot fail.
    pub fn check(&self, file: &str, catalogue: &Catalogue) -> Result<(), Mistake> {
        let fault = self
            .fault_in_names(catalogue)
            .or_else(|| self.fault_in_checks())
            .or_else(|| self.fault_in_formulas())
            .or_else(|| self.fault_in_prediction());
        match fault {
            Some((span, detail)) => Err(Mistake::at(file, &self.text, span, detail)),
            None => Ok(()),
        }
    }

    fn fault_in_names(&self, catalogue: &Catalogue) -> Option<Fault> {
        let of_variants = self.variants().map(|v| &v.knobs);
        let of_weather = self.weather.iter().map(|w| &w.get_ref().knobs);
        for (name, value) in of_variants.chain(of_weather).flatten() {
            if let Some(detail) = fault_in_knob(name, value.get_ref(), catalogue) {
                return Some((value.span(), detail));
            }
        }
        for of in self.weather.iter().flat_map(|w| &w.get_ref().of) {
            if let Some(detail) = self.fault_in_variant(of.get_ref()) {
                return Some((of.span(), detail));
            }
        }
        let services: Vec<&str> = catalogue.services.iter().map(String::as_str).collect();
        if let Some((name, detail)) = foreign(&self.system.replicas, &services) {
            return Some((self.replica_at(0, name), detail));
        }
        self.variant.iter().find_map(|variant| {
            let (name, detail) = foreign(variant.get_ref().replicas.as_ref()?, &services)?;
            Some((self.replica_at(variant.span().start, name), detail))
        })
    }

    /// Where the service `name` has its replicas, in the text after `start`.
    fn replica_at(&self, start: usize, name: &str) -> Range<usize> {
        let after = |start: usize, words: &str| {
            let found = self.text.get(start..).and_then(|rest| rest.find(words));
            found.map_or(start, |at| start + at)
        };
        let at = after(after(start, "replicas"), name);
        at..at + name.len()
    }

    fn fault_in_checks(&self) -> Option<Fault> {
        let known = metrics::of(self);
        self.check.iter().find_map(|check| {
            let check = check.get_ref();
            for of in &check.of {
                if let Some(detail) = self.fault_in_variant(of.get_ref()) {
                    return Some((of.span(), detail));
                }
            }
            let detail = match check.claim.get_ref().parse::<Claim>() {
                Err(detail) => Some(detail),
                Ok(claim) => self
                    .fault_in_claim(&claim, &known)
                    .or_else(|| cannot_fail(&claim, check, &known)),
            };
            Some((check.claim.span(), detail?))
        })
    }

    fn fault_in_claim(&self, claim: &Claim, known: &[Known]) -> Option<String> {
        let other = claim.other.as_ref();
        fault_in_metric(&claim.metric, known)
            .or_else(|| self.fault_in_variant(&other?.0))
            .or_else(|| fault_in_metric(&other?.1, known))
    }

    fn fault_in_variant(&self, name: &str) -> Option<String> {
        let names: Vec<&str> = self.variants().map(|v| v.name.as_str()).collect();
        (!names.contains(&name)).then(|| unknown("variant", name, &names))
    }

    fn fault_in_formulas(&self) -> Option<Fault> {
        let known = metrics::of(self);
        self.derive.iter().find_map(|derive| {
            let mut fault = None;
            let computed = compute(derive.formula.get_ref(), &mut |name| {
                let found = match name.split_once('.') {
                    None => Some(format!("'{name}' is neither a number nor VARIANT.METRIC")),
                    Some((variant, metric)) => self
                        .fault_in_variant(variant)
                        .or_else(|| fault_in_metric(metric, &known)),
                };
                fault = fault.take().or(found);
                Some(1.0)
            });
            let detail = computed.err().or(fault)?;
            Some((derive.formula.span(), detail))
        })
    }

    fn fault_in_prediction(&self) -> Option<Fault> {
        let prediction = self.prediction.as_ref()?;
        let Some(measures) = &prediction.measures else {
            let at = self.text.find("[prediction]").unwrap_or(0);
            let detail =
                "give options to choose from, or the metric that a number is compared with";
            return prediction
                .options
                .is_empty()
                .then(|| (at..at, detail.to_owned()));
        };
        let detail = match Measured::read(measures.get_ref()) {
            None => Some("write VARIANT.METRIC, or VARIANT/VARIANT.METRIC for a ratio".to_owned()),
            Some(measured) => self
                .fault_in_variant(&measured.variant)
                .or_else(|| self.fault_in_variant(measured.over.as_deref()?))
                .or_else(|| fault_in_metric(&measured.metric, &metrics::of(self))),
        };
        Some((measures.span(), detail?))
    }
}

/// The first name that is no service.
fn foreign<'a>(names: &'a BTreeMap<String, u32>, services: &[&str]) -> Option<(&'a str, String)> {
    let mut names = names.keys().map(String::as_str);
    let foreign = names.find(|name| !services.contains(name))?;
    Some((foreign, unknown("service", foreign, services)))
}

/// Why a check can never fail, if so.
fn cannot_fail(claim: &Claim, check: &CheckSpec, known: &[Known]) -> Option<String> {
    if let Some(of) = check.of.iter().find(|of| claim.is_of_itself(of.get_ref())) {
        let (name, metric) = (of.get_ref(), &claim.metric);
        return Some(format!("this compares {name}.{metric} with itself"));
    }
    let of = |name: &str| known.iter().find(|k| k.metric.name == name);
    let other = claim.other.as_ref().and_then(|(_, metric)| of(metric));
    claim.empty(of(&claim.metric)?, other, check.must)
}

/// `variant.metric`, or `variant/variant.metric` for a ratio.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) variant: String,
    pub(crate) over: Option<String>,
    pub(crate) metric: String,
}

impl Measured {
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (variants, metric) = text.split_once('.')?;
        let (variant, over) = match variants.split_once('/') {
            Some((variant, over)) => (variant, Some(over.to_owned())),
            None => (variants, None),
        };
        Some(Self {
            variant: variant.to_owned(),
            over,
            metric: metric.to_owned(),
        })
    }
}

fn fault_in_knob(name: &str, value: &str, catalogue: &Catalogue) -> Option<String> {
    let Some((_, allowed)) = catalogue.knobs.iter().find(|(known, _)| known == name) else {
        let all: Vec<&str> = catalogue
            .knobs
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        return Some(unknown("knob", name, &all));
    };
    let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
    (!allowed.contains(&value)).then(|| {
        format!(
            "'{name}' cannot be '{value}'; it can be {}",
            allowed.join(", ")
        )
    })
}

fn fault_in_metric(name: &str, known: &[Known]) -> Option<String> {
    let names: Vec<&str> = known.iter().map(|k| k.metric.name.as_str()).collect();
    (!names.contains(&name)).then(|| unknown("metric", name, &names))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
id = "cache"
title = "Caches"
question = "What does a cache save?"
phase = 3
why = "w"
lesson = "l"
prediction = { question = "how much?", measures = "none/aside.p50_ms" }
[[variant]]
name = "none"
knobs = { "links.cache" = "none" }
[[variant]]
name = "aside"
[load]
request = [{ name = "redirect", path = "/{code}" }]
[[check]]
of = ["aside"]
claim = "p99_ms < 0.5 * none.p99_ms"
"#;

    fn catalogue() -> Catalogue {
        Catalogue {
            knobs: vec![(
                "links.cache".to_owned(),
                vec!["aside".to_owned(), "none".to_owned()],
            )],
            services: vec!["links".to_owned()],
            routes: Vec::new(),
        }
    }

    #[test]
    fn what_exists_is_accepted() {
        let spec = Spec::read("x.toml", TEXT).expect("it is good");
        spec.check("x.toml", &catalogue())
            .expect("everything exists");
    }

    #[test]
    fn what_does_not_exist_is_refused_with_the_nearest() {
        for (good, bad, words) in [
            ("links.cache", "links.cahce", "did you mean links.cache?"),
            ("= \"none\" }", "= \"off\" }", "it can be aside, none"),
            ("claim = \"p99_ms", "claim = \"p98_ms", "or p99_ms"),
            ("none.p99_ms\"", "non.p99_ms\"", "did you mean none?"),
            (
                "of = [\"aside\"]",
                "of = [\"asside\"]",
                "did you mean aside?",
            ),
            ("< 0.5 * none.p99_ms", ">= 0", "can never fail"),
            ("* none.p99_ms", "* aside.p99_ms", "with itself"),
            (
                "none/aside.p50_ms",
                "none/aside.p5_ms",
                "did you mean p50_ms",
            ),
            (
                "prediction =",
                "derive = [{ label = 'x', formula = 'none.p50_ms - asid.p50_ms' }]\nprediction =",
                "did you mean aside?",
            ),
            (
                "[load]",
                "replicas = { lonks = 2 }\n[load]",
                "did you mean links?",
            ),
        ] {
            let text = TEXT.replacen(good, bad, 1);
            let spec = Spec::read("x.toml", &text).expect("the text alone is good");
            let mistake = spec.check("x.toml", &catalogue()).expect_err(bad);
            assert!(mistake.detail.contains(words), "{mistake}");
            assert!(mistake.line > 1, "{mistake}");
        }
    }
}
