//! From the text to an experiment, with everything checked that the text alone can tell.

use std::collections::BTreeSet;
use std::ops::Range;

use super::mistake::in_our_words;
use super::{Mistake, Spec, VariantSpec};

/// The largest file that is read.
const TEXT_BYTES_MAX: usize = 256 * 1024;
/// How many variants there may be.
const VARIANTS_MAX: usize = 12;
/// How many kinds of requests there may be.
const REQUESTS_MAX: usize = 16;
/// How many trials a variant may have.
const BLOCKS_MAX: u32 = 200;
/// How long a trial may be, in seconds.
const SECONDS_MAX: f64 = 600.0;
/// How many times as soon things may come in the proof form.
const PACE_MAX: f64 = 100.0;
/// How often a twin may be killed in a trial.
const KILLS_MAX: u32 = 100_000;
/// How many things are seeded at most.
const LINKS_MAX: usize = 100_000;

impl Spec {
    /// Reads an experiment. `file` is its name in messages.
    pub fn read(file: &str, text: &str) -> Result<Self, Mistake> {
        let at = |span: Range<usize>, detail: String| Mistake::at(file, text, span, detail);
        if text.len() > TEXT_BYTES_MAX {
            let detail = format!("it is larger than {} KiB", TEXT_BYTES_MAX / 1024);
            return Err(at(0..0, detail));
        }
        let mut spec: Self = toml::from_str(text)
            .map_err(|error| at(error.span().unwrap_or(0..0), in_our_words(error.message())))?;
        text.clone_into(&mut spec.text);
        match spec.fault() {
            Some((span, detail)) => Err(at(span, detail)),
            None => Ok(spec),
        }
    }

    /// The first thing that cannot be, with its place.
    pub(crate) fn fault(&self) -> Option<(Range<usize>, String)> {
        let id = self.id.get_ref();
        if !is_name(id, '-') {
            let detail = "an id is made of lower-case letters, digits and dashes, such as my-cache";
            return Some((self.id.span(), detail.to_owned()));
        }
        if !(1..=10).contains(self.phase.get_ref()) {
            return Some((
                self.phase.span(),
                "the journey has phases 1 to 10".to_owned(),
            ));
        }
        self.fault_in_variants()
            .or_else(|| self.fault_in_times())
            .or_else(|| {
                self.fault_in_load()
                    .map(|detail| (self.place("[load]"), detail))
            })
            .or_else(|| self.fault_in_weather())
    }

    fn fault_in_variants(&self) -> Option<(Range<usize>, String)> {
        if !(1..=VARIANTS_MAX).contains(&self.variant.len()) {
            let detail = format!("there may be 1 to {VARIANTS_MAX} variants");
            return Some((self.place("[[variant]]"), detail));
        }
        let mut names = BTreeSet::new();
        for variant in &self.variant {
            let name = variant.get_ref().name.as_str();
            if !is_name(name, '_') {
                let detail = format!(
                    "'{name}' is no name of a variant: use lower-case letters, digits and underscores"
                );
                return Some((variant.span(), detail));
            }
            if !names.insert(name) {
                return Some((variant.span(), format!("there are two variants '{name}'")));
            }
            if let Some(detail) = self.fault_in_twin(variant.get_ref()) {
                return Some((variant.span(), detail));
            }
        }
        None
    }

    fn fault_in_twin(&self, variant: &VariantSpec) -> Option<String> {
        match (&self.twins, &variant.twin) {
            (Some(_), Some(twin)) => {
                let mode = twin.get_ref().parse::<twins::Mode>();
                mode.err().map(|error| error.to_string())
            }
            (Some(_), None) => Some(format!("say which twin '{}' is", variant.name)),
            (None, Some(_)) => Some("there are no [twins] here".to_owned()),
            (None, None) => None,
        }
    }

    fn fault_in_times(&self) -> Option<(Range<usize>, String)> {
        let trials = &self.trials;
        let quick = &self.quick;
        let seconds = [Some(trials.seconds), quick.seconds].into_iter().flatten();
        for time in seconds {
            if !(0.1..=SECONDS_MAX).contains(&time) {
                let detail = format!("a trial lasts 0.1 to {SECONDS_MAX} seconds");
                return Some((self.place("seconds"), detail));
            }
        }
        for blocks in [trials.blocks, quick.blocks] {
            if !(1..=BLOCKS_MAX).contains(&blocks) {
                let detail = format!("there may be 1 to {BLOCKS_MAX} blocks");
                return Some((self.place("blocks"), detail));
            }
        }
        let kills = self.twins.map_or(1, |twins| twins.kills);
        if !(1..=KILLS_MAX).contains(&kills) {
            let detail = format!("a twin is killed 1 to {KILLS_MAX} times");
            return Some((self.place("kills"), detail));
        }
        if self.data.links > LINKS_MAX {
            let detail = format!("at most {LINKS_MAX} links are seeded");
            return Some((self.place("links"), detail));
        }
        let shortest = quick.seconds.unwrap_or(trials.seconds).min(trials.seconds);
        self.fault_in_recovery(shortest)
            .or_else(|| self.fault_in_proof())
    }

    /// Whether the trigger is within a trial of so many seconds.
    fn fault_in_recovery(&self, seconds: f64) -> Option<(Range<usize>, String)> {
        let recovery = self.recovery?;
        let in_order = 0.0 < recovery.from_s
            && recovery.from_s < recovery.until_s
            && recovery.until_s < seconds;
        (!in_order).then(|| {
            let detail = "the trigger must begin after 0 s, and end before each trial does";
            (self.place("[recovery]"), detail.to_owned())
        })
    }

    fn fault_in_proof(&self) -> Option<(Range<usize>, String)> {
        let proof = self.proof;
        let detail = if !(0.01..=PACE_MAX).contains(&proof.pace) {
            format!("pace is 0.01 to {PACE_MAX}")
        } else if !(0.0..=SECONDS_MAX).contains(&proof.warm_up_seconds) {
            format!("warm_up_seconds is 0 to {SECONDS_MAX}")
        } else if !(1..=KILLS_MAX).contains(&proof.kills.unwrap_or(1)) {
            format!("a twin is killed 1 to {KILLS_MAX} times")
        } else {
            let form = self.clone().proof();
            let seconds = form.trials.seconds;
            if (0.1..=SECONDS_MAX).contains(&seconds) {
                return form.fault_in_recovery(seconds);
            }
            format!("a trial lasts 0.1 to {SECONDS_MAX} seconds")
        };
        Some((self.place("[proof]"), detail))
    }

    fn fault_in_load(&self) -> Option<String> {
        let load = &self.load;
        if load.request.is_empty() && self.twins.is_none() {
            return Some("nothing is asked: add a [[load.request]] with name and path".to_owned());
        }
        if load.request.len() > REQUESTS_MAX {
            return Some(format!(
                "there may be {REQUESTS_MAX} kinds of requests at most"
            ));
        }
        let mut names = BTreeSet::new();
        for request in &load.request {
            if !is_name(&request.name, '_') || !names.insert(&request.name) {
                return Some(format!(
                    "'{}' cannot name a request: each has a name of its own, of lower-case letters, \
                     digits and underscores",
                    request.name
                ));
            }
            if !request.path.starts_with('/') {
                return Some(format!("the path of '{}' must begin with /", request.name));
            }
            if request.method.parse::<http::Method>().is_err() {
                return Some(format!("'{}' is no method", request.method));
            }
            if !(request.share > 0.0 && request.share.is_finite()) {
                return Some(format!("the share of '{}' must be above 0", request.name));
            }
        }
        None
    }

    fn fault_in_weather(&self) -> Option<(Range<usize>, String)> {
        self.weather.iter().find_map(|weather| {
            let event = weather.get_ref();
            let kinds = usize::from(event.fault.is_some())
                + usize::from(!event.knobs.is_empty())
                + usize::from(!event.policies.is_empty());
            let detail = if kinds != 1 {
                "name exactly one of fault, knobs and policies"
            } else if !(0.0..=SECONDS_MAX).contains(&event.at_s) {
                "at_s is a moment of the trial, in seconds"
            } else {
                return None;
            };
            Some((weather.span(), detail.to_owned()))
        })
    }

    /// Where `words` stand first, for what has no place of its own.
    fn place(&self, words: &str) -> Range<usize> {
        let at = self.text.find(words).unwrap_or(0);
        at..at + words.len()
    }
}

/// Whether `text` is made of lower-case letters, digits and `joint`, and begins with a letter.
fn is_name(text: &str, joint: char) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == joint;
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 64
        && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
id = "cache"
title = "Caches"
question = "What does a cache save?"
phase = 3
why = "w"
lesson = "l"

[[variant]]
name = "none"
knobs = { "links.cache" = "none" }

[[variant]]
name = "aside"

[load]
rate = 100

[[load.request]]
name = "redirect"
path = "/{code}"
"#;

    #[test]
    fn a_file_is_an_experiment() {
        let spec = Spec::read("cache.toml", GOOD).expect("it is good");
        let names: Vec<&str> = spec.variants().map(|v| v.name.as_str()).collect();
        assert_eq!(names, ["none", "aside"]);
        assert_eq!(spec.text, GOOD);
        let quick = spec.quick();
        assert_eq!((quick.trials.blocks, quick.trials.seconds), (4, 2.0));
    }

    #[test]
    fn a_mistake_is_named_with_line_and_column() {
        for (good, bad, place, words) in [
            ("rate = 100", "rat = 100", "17:1", "did you mean rate?"),
            ("phase = 3", "phase = 11", "5:9", "phases 1 to 10"),
            ("id = \"cache\"", "id = \"Cache!\"", "2:6", "lower-case"),
            ("\"aside\"", "\"none\"", "13:1", "two variants 'none'"),
            (
                "path = \"/{code}\"",
                "path = \"x\"",
                "16:1",
                "must begin with /",
            ),
            ("rate = 100", "rate = 'x'", "17:8", "expected"),
            (
                "rate = 100",
                "arrivals = 'poison'",
                "17:12",
                "did you mean poisson?",
            ),
            (
                "[load]",
                "[[weather]]\nat_s = 1\n[load]",
                "16:1",
                "exactly one",
            ),
        ] {
            let text = GOOD.replacen(good, bad, 1);
            let mistake = Spec::read("cache.toml", &text).expect_err(bad).to_string();
            let start = format!("cache.toml:{place}: ");
            assert!(
                mistake.starts_with(&start) && mistake.contains(words),
                "{mistake}"
            );
        }
    }
}
