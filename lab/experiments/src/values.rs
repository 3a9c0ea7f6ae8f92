//! From what was recorded in a trial to the value of each metric.

use std::collections::BTreeMap;

use load::{Report, VerdictKind};
use reports::Second;

use crate::loads::Shown;
use crate::snapshot::{Selector, Snapshot};
use crate::spec::{MeasureSpec, Per, RecoverySpec};

pub(crate) type Values = BTreeMap<String, f64>;

/// What the loads have shown.
pub(crate) fn of_loads(shown: &[Shown], values: &mut Values) {
    for (kind, number) in shown.iter().zip(0..) {
        let prefix = match number {
            0 => String::new(),
            _ => format!("{}_", kind.name),
        };
        let report = &kind.report;
        let mut put = |name: &str, value: f64| values.insert(format!("{prefix}{name}"), value);
        put(
            "good_per_s",
            report.good as f64 / report.elapsed_s.max(1e-9),
        );
        if report.latency.count > 0 {
            put("p50_ms", report.latency.p50_ms);
            put("p99_ms", report.latency.p99_ms);
            if number == 0 {
                put("p90_ms", report.latency.p90_ms);
            }
        }
        let due = report.scheduled.max(1) as f64;
        let bad = report.scheduled.saturating_sub(report.good) as f64;
        put("error_percent", bad / due * 100.0);
    }
}

/// What the system spent on them.
pub(crate) fn of_costs(shown: &[Shown], before: &Snapshot, after: &Snapshot, values: &mut Values) {
    let answered: u64 = shown.iter().map(|kind| kind.report.answered).sum();
    let answered = answered.max(1) as f64;
    let grown = |name: &str| after.grown(before, &Selector::new(name));
    let cpu = grown("process_cpu_seconds_total") * 1e6 / answered;
    let memory = after.sum(&Selector::new("process_resident_memory_bytes"));
    let content = |report: &Report| report.bytes_received + report.bytes_sent;
    let wire: u64 = shown.iter().map(|kind| content(&kind.report)).sum();
    for (name, value) in [
        ("cpu_us", cpu),
        ("memory_mib", memory / f64::from(1 << 20)),
        (
            "disk_bytes",
            grown("process_disk_written_bytes_total") / answered,
        ),
        ("wire_bytes", wire as f64 / answered),
    ] {
        values.insert(name.to_owned(), value);
    }
}

/// What the experiment counts itself; a share of nothing is missing.
pub(crate) fn of_measure(
    measure: &MeasureSpec,
    (before, after): (&Snapshot, &Snapshot),
    (answered, seconds): (f64, f64),
) -> Option<f64> {
    let grown = |selectors: &[String]| -> f64 {
        let each = selectors.iter();
        each.map(|text| after.grown(before, &Selector::new(text)))
            .sum()
    };
    let per = match &measure.per {
        Per::Trial => 1.0,
        Per::Unit(unit) if unit == "second" => seconds,
        Per::Unit(_) => answered,
        Per::Counters(counters) => grown(counters),
    };
    (per > 0.0).then(|| grown(&measure.counter) / per * measure.scale)
}

/// The seconds of a load, as a report shows them.
pub(crate) fn seconds(report: &Report) -> Vec<Second> {
    let second = |of: &load::Second| Second {
        second: u32::try_from(of.second).unwrap_or(u32::MAX),
        due: of.scheduled,
        good: of.good,
        bad: of.answered.saturating_sub(of.good) + of.errors + of.queue_full,
        p50_ms: of.p50_ms,
        p99_ms: of.p99_ms,
        max_ms: of.max_ms,
    };
    report.timeline.iter().map(second).collect()
}

/// What the generators say when one of them was the bottleneck.
pub(crate) fn limited(shown: &[Shown]) -> Option<String> {
    let of = shown
        .iter()
        .find(|kind| kind.report.verdict.kind == VerdictKind::Generator)?;
    Some(of.report.verdict.text.clone())
}

/// How goodput fares after the trigger.
pub(crate) fn of_recovery(spec: RecoverySpec, seconds: &[Second], whole_s: f64) -> Values {
    let mut values = Values::new();
    let good = |from: f64, until: f64| -> Vec<f64> {
        let within = |s: &&Second| {
            let at = f64::from(s.second);
            at >= from && at + 1.0 <= until
        };
        seconds
            .iter()
            .filter(within)
            .map(|s| s.good as f64)
            .collect()
    };
    let before = median(good(1.0_f64.min(spec.from_s / 2.0), spec.from_s));
    let after = good(spec.until_s, whole_s);
    let last = after[after.len() - after.len().div_ceil(3)..].to_vec();
    if before <= 0.0 || last.is_empty() {
        return values;
    }
    values.insert(
        "goodput_after_percent".to_owned(),
        median(last) / before * 100.0,
    );
    let enough = |rest: &[f64]| median(rest.to_vec()) >= spec.share * before;
    let recovered = after.windows(3.min(after.len())).position(enough);
    // Never within the trial: it took at least as long.
    let recovery = recovered.map_or(whole_s - spec.until_s, |second| second as f64);
    values.insert("recovery_s".to_owned(), recovery);
    values
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n => f64::midpoint(values[(n - 1) / 2], values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(good: &[u64]) -> Vec<Second> {
        let second = |(good, second): (&u64, u32)| Second {
            second,
            good: *good,
            ..Second::default()
        };
        good.iter().zip(0..).map(second).collect()
    }

    const TRIGGER: RecoverySpec = RecoverySpec {
        from_s: 3.0,
        until_s: 5.0,
        share: 0.95,
    };

    #[test]
    fn recovery_counts_from_the_end_of_the_trigger() {
        let good = [10, 100, 100, 20, 10, 0, 40, 98, 100, 99, 100];
        let values = of_recovery(TRIGGER, &seconds(&good), 11.0);
        assert_eq!(
            values["recovery_s"], 1.0,
            "from the window whose median is well"
        );
        assert_eq!(values["goodput_after_percent"], 99.5);
    }

    #[test]
    fn what_stays_down_is_as_long_as_the_trial() {
        let good = [10, 100, 100, 20, 10, 0, 1, 0, 2, 0, 1];
        let values = of_recovery(TRIGGER, &seconds(&good), 11.0);
        assert_eq!(values["recovery_s"], 6.0);
        assert!(values["goodput_after_percent"] < 2.0);
    }
}
