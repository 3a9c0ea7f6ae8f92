//! The parts of a report that are known before anything is measured.

use std::collections::BTreeMap;

use kernel::Timestamp;
use reports::{Experiment, Machine, Prediction, Run, Variant};
use toml::Spanned;

use crate::metrics;
use crate::spec::{Form, Spec, VariantSpec};
use crate::up::{system_of, systems};

/// The run of `spec` that begins `now`, before anything is measured.
pub(crate) fn run(spec: &Spec, now: Timestamp, form: Form, seed: u64) -> Run {
    let wants = systems(spec);
    let variants = spec.variants().map(|of| {
        let system = wants.iter().position(|w| *w == system_of(spec, of));
        variant(of, system.unwrap_or(0))
    });
    Run {
        format: 1,
        id: format!("{}-{}", stamp(now), spec.id.get_ref()),
        experiment: experiment(spec),
        started_at: now.0,
        elapsed_s: 0.0,
        quick: form != Form::Whole,
        seed,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ended_early: false,
        machine: Machine::of_this(),
        systems: Vec::new(),
        metrics: metrics::of(spec)
            .into_iter()
            .map(|known| known.metric)
            .collect(),
        variants: variants.collect(),
        trials: Vec::new(),
        derived: Vec::new(),
        checks: Vec::new(),
        guess: None,
        notes: Vec::new(),
    }
}

/// What `spec` asks and teaches.
pub(crate) fn experiment(spec: &Spec) -> Experiment {
    let prediction = spec.prediction.as_ref().map(|asked| Prediction {
        question: asked.question.clone(),
        options: asked.options.clone(),
        measures: asked.measures.as_ref().map(|m| m.get_ref().clone()),
    });
    Experiment {
        id: spec.id.get_ref().clone(),
        title: spec.title.clone(),
        question: spec.question.clone(),
        phase: *spec.phase.get_ref(),
        why: spec.why.trim().to_owned(),
        lesson: spec.lesson.trim().to_owned(),
        look: spec.look.clone(),
        prediction,
        text: spec.text.clone(),
    }
}

/// A variant, with what makes it what it is.
pub(crate) fn variant(spec: &VariantSpec, system: usize) -> Variant {
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    let knobs = spec.knobs.iter();
    settings.extend(knobs.map(|(name, value)| (name.clone(), Spanned::get_ref(value).clone())));
    for (name, value) in spec.policies.iter().chain(&spec.config) {
        settings.insert(name.clone(), value.to_string());
    }
    if let Some(twin) = &spec.twin {
        settings.insert("twin".to_owned(), twin.get_ref().clone());
    }
    if let Some(topology) = spec.topology {
        settings.insert("topology".to_owned(), topology.name().to_owned());
    }
    for (service, count) in spec.replicas.iter().flatten() {
        settings.insert(format!("replicas.{service}"), count.to_string());
    }
    if let Some(backends) = spec.backends {
        settings.insert(
            "backends".to_owned(),
            format!("{backends:?}").to_lowercase(),
        );
    }
    Variant {
        name: spec.name.clone(),
        label: spec.label.clone(),
        settings,
        system,
    }
}

/// `20261127-071500`, in UTC.
pub(crate) fn stamp(now: Timestamp) -> String {
    let seconds = now.secs();
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

/// The date of a day since 1970, by Howard Hinnant's `civil_from_days`.
fn date(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month, doy - (153 * mp + 2) / 5 + 1)
}

/// This machine, as its kernel describes it; what cannot be read is left empty.
trait OfThis {
    fn of_this() -> Self;
}

impl OfThis for Machine {
    fn of_this() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let after = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split_once(':'));
            value
                .map(|(_, value)| value.trim().to_owned())
                .unwrap_or_default()
        };
        let memory = after(&read("/proc/meminfo"), "MemTotal");
        let kib: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cpu: after(&read("/proc/cpuinfo"), "model name"),
            os: format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
            memory_mib: kib / 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_so_that_names_sort() {
        assert_eq!(stamp(Timestamp::from_secs(0)), "19700101-000000");
        assert_eq!(
            stamp(Timestamp::from_secs(1_795_763_700)),
            "20261127-071500"
        );
        assert_eq!(stamp(Timestamp::from_secs(951_782_399)), "20000228-235959");
        assert_eq!(stamp(Timestamp::from_secs(951_782_400)), "20000229-000000");
    }
}
