//! The proof form of an experiment: as short as it can be with everything in it that it is about.

use serde::Deserialize;

use super::{Form, Spec, WeatherSpec};

/// What is different in the proof form: one trial of each variant, that ends soon after the last
/// thing that happens in it.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProofSpec {
    /// How many times as soon everything comes that has its moment: weather, spikes, the trigger.
    pub pace: f64,
    /// How long a trial is loaded; unless given, until [`REST_S`] after the last moment.
    pub seconds: Option<f64>,
    /// How long each variant is loaded before anything counts.
    pub warm_up_seconds: f64,
    /// Requests per second.
    pub rate: Option<f64>,
    /// How often a twin is killed; unless given, as in the quick form.
    pub kills: Option<u32>,
}

impl Default for ProofSpec {
    fn default() -> Self {
        Self {
            pace: 1.0,
            seconds: None,
            warm_up_seconds: 0.2,
            rate: None,
            kills: None,
        }
    }
}

/// How long a trial goes on after the last thing that happens in it.
const REST_S: f64 = 1.0;

impl Spec {
    /// The spec as it is run in `form`.
    #[must_use]
    pub fn in_form(self, form: Form) -> Self {
        match form {
            Form::Whole => self,
            Form::Quick => self.quick(),
            Form::Proof => self.proof(),
        }
    }

    /// The proof form.
    #[must_use]
    pub fn proof(mut self) -> Self {
        let proof = self.proof;
        self.hurry(proof.pace);
        let last = self.moments().fold(0.0, f64::max);
        self.trials.seconds = proof.seconds.unwrap_or(last + REST_S);
        self.trials.blocks = 1;
        self.trials.warm_up_seconds = proof.warm_up_seconds;
        if let Some(rate) = proof.rate {
            self.load.rate = rate;
        }
        if let (Some(twins), Some(kills)) = (&mut self.twins, proof.kills.or(self.quick.kills)) {
            twins.kills = kills;
        }
        self
    }

    /// Lets everything that has its moment come `pace` times as soon.
    fn hurry(&mut self, pace: f64) {
        for spike in &mut self.load.spike {
            spike.at_s /= pace;
            spike.lasts_s /= pace;
        }
        for event in &mut self.weather {
            let WeatherSpec { at_s, fault, .. } = event.get_mut();
            *at_s /= pace;
            if let Some(fault) = fault {
                // A lease lasts a whole number of milliseconds, and at least one.
                fault.ttl_ms = ((fault.ttl_ms as f64 / pace) as u64).max(1);
            }
        }
        if let Some(recovery) = &mut self.recovery {
            recovery.from_s /= pace;
            recovery.until_s /= pace;
        }
    }

    /// When things happen in a trial, in seconds.
    fn moments(&self) -> impl Iterator<Item = f64> {
        let spikes = self.load.spike.iter().map(|s| s.at_s + s.lasts_s);
        let weather = self.weather.iter().map(|event| event.get_ref().at_s);
        let trigger = self.recovery.map(|recovery| recovery.until_s);
        spikes.chain(weather).chain(trigger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORM: &str = r#"
id = "storm"
title = "Storm"
question = "Does it come back?"
phase = 5
why = "w"
lesson = "l"
[[variant]]
name = "naive"
[load]
rate = 280
spike = [{ rate = 800, at_s = 10, lasts_s = 10 }]
request = [{ name = "work", path = "/stage/work" }]
[[weather]]
at_s = 12
fault = { seam = "request", effect = "latency", ms = 5, ttl_ms = 4000 }
[recovery]
from_s = 10
until_s = 20
[trials]
seconds = 50
blocks = 6
"#;

    fn proof(more: &str) -> Spec {
        let text = format!("{STORM}{more}");
        let spec = Spec::read("storm.toml", &text).unwrap_or_else(|mistake| panic!("{mistake}"));
        spec.in_form(Form::Proof)
    }

    #[test]
    fn everything_that_has_its_moment_comes_sooner_and_nothing_is_left_out() {
        let spec = proof("[proof]\npace = 5\n");
        let (spike, recovery) = (spec.load.spike[0], spec.recovery.expect("it is there"));
        assert_eq!((spike.at_s, spike.lasts_s, spike.rate), (2.0, 2.0, 800.0));
        assert_eq!((recovery.from_s, recovery.until_s), (2.0, 4.0));
        let event = spec.weather[0].get_ref();
        assert_eq!(event.at_s, 2.4);
        assert_eq!(event.fault.as_ref().map(|fault| fault.ttl_ms), Some(800));
        let trials = &spec.trials;
        assert_eq!((trials.blocks, trials.seconds), (1, 5.0), "a rest after it");
        assert_eq!(
            proof("[proof]\npace = 5\nseconds = 7\n").trials.seconds,
            7.0
        );
        assert_eq!(proof("").trials.seconds, 21.0);
    }

    #[test]
    fn a_trial_that_ends_before_what_it_is_about_is_refused() {
        for (more, words) in [
            ("pace = 0", "pace"),
            ("pace = 5\nseconds = 4", "end before each trial"),
            ("kills = 0", "killed 1 to"),
            ("warm_up_seconds = -1", "warm_up_seconds"),
        ] {
            let text = format!("{STORM}[proof]\n{more}\n");
            let mistake = Spec::read("storm.toml", &text).expect_err(more);
            assert!(mistake.detail.contains(words), "{mistake}");
        }
    }
}
