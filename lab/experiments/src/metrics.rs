//! What an experiment measures: what always is, what its requests, probes and counters add, and
//! between which bounds each can be.

use reports::{Better, Compared, Metric};

use crate::spec::{MeasureSpec, Per, ProbeKind, Spec};

/// A metric, and between which values it can be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    /// Its name and how it is shown.
    pub(crate) metric: Metric,
    /// It is never less.
    pub(crate) least: f64,
    /// It is never more.
    pub(crate) most: f64,
}

/// Everything that `spec` measures, in the order shown.
#[must_use]
pub(crate) fn of(spec: &Spec) -> Vec<Known> {
    if spec.twins.is_some() {
        return of_twins();
    }
    let timeout = spec.load.timeout_ms as f64 + spec.trials.seconds * 1e3;
    let mut all = vec![rate("good_per_s", "good/s")];
    all.extend(["p50", "p90", "p99"].map(|q| time(&format!("{q}_ms"), q, timeout)));
    all.push(percent("error_percent", "errors", Better::Lower));
    all.push(cost("cpu_us", "CPU per request", "us"));
    all.push(cost("memory_mib", "memory", "MiB"));
    all.push(count("disk_bytes", "disk per request", "B", Better::Lower));
    all.push(count(
        "wire_bytes",
        "content per request",
        "B",
        Better::Lower,
    ));
    for request in spec.load.request.iter().skip(1) {
        let name = &request.name;
        all.push(rate(
            &format!("{name}_good_per_s"),
            &format!("{name} good/s"),
        ));
        for q in ["p50", "p99"] {
            all.push(time(
                &format!("{name}_{q}_ms"),
                &format!("{name} {q}"),
                timeout,
            ));
        }
        let errors = format!("{name}_error_percent");
        all.push(percent(&errors, &format!("{name} errors"), Better::Lower));
    }
    if spec.recovery.is_some() {
        let most = spec.trials.seconds;
        all.push(Known {
            most,
            ..count("recovery_s", "recovery", "s", Better::Lower)
        });
        all.push(Known {
            most: f64::INFINITY,
            ..percent("goodput_after_percent", "goodput after", Better::Higher)
        });
    }
    for probe in &spec.probe {
        all.extend(of_probe(probe.kind));
    }
    all.extend(spec.measure.iter().map(|m| of_measure(m.get_ref())));
    all
}

fn of_twins() -> Vec<Known> {
    let figure = |name: &str, better| count(name, &name.replace('_', " "), "", better);
    vec![
        figure("told", Better::Neither),
        figure("stored", Better::Neither),
        figure("mails", Better::Neither),
        figure("unkept", Better::Lower),
        figure("lost", Better::Lower),
        figure("doubled", Better::Lower),
        figure("invented", Better::Lower),
    ]
}

fn of_probe(kind: ProbeKind) -> Vec<Known> {
    let lower = Better::Lower;
    match kind {
        ProbeKind::Staleness => vec![
            count("stale_p50_ms", "staleness p50", "ms", lower),
            count("stale_max_ms", "staleness max", "ms", lower),
            percent("stale_reads_percent", "stale reads", lower),
            count("backward_reads", "reads that went back", "", lower),
        ],
        ProbeKind::Clicks => vec![
            count("clicks_lost", "clicks lost", "", lower),
            count("clicks_unasked", "clicks unasked", "", lower),
        ],
        ProbeKind::Guess => vec![percent("guessed_percent", "guesses that hit", lower)],
    }
}

fn of_measure(measure: &MeasureSpec) -> Known {
    let label = match measure.label.as_str() {
        "" => measure.name.replace('_', " "),
        label => label.to_owned(),
    };
    let better = measure.better.unwrap_or(Better::Neither);
    let share = matches!(measure.per, Per::Counters(_)) && measure.unit == "%";
    Known {
        most: if share { 100.0 } else { f64::INFINITY },
        ..count(&measure.name, &label, &measure.unit, better)
    }
}

fn known(name: &str, label: &str, unit: &str, better: Better, compared: Compared) -> Known {
    Known {
        metric: Metric {
            name: name.to_owned(),
            label: label.to_owned(),
            unit: unit.to_owned(),
            better,
            compared,
        },
        least: 0.0,
        most: f64::INFINITY,
    }
}

fn rate(name: &str, label: &str) -> Known {
    known(name, label, "1/s", Better::Higher, Compared::Ratio)
}

fn time(name: &str, label: &str, most: f64) -> Known {
    Known {
        most,
        ..known(name, label, "ms", Better::Lower, Compared::Ratio)
    }
}

fn cost(name: &str, label: &str, unit: &str) -> Known {
    known(name, label, unit, Better::Lower, Compared::Ratio)
}

fn count(name: &str, label: &str, unit: &str, better: Better) -> Known {
    known(name, label, unit, better, Compared::Difference)
}

fn percent(name: &str, label: &str, better: Better) -> Known {
    Known {
        most: 100.0,
        ..count(name, label, "%", better)
    }
}
