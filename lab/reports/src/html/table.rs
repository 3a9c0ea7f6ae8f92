//! The table: a group for each metric, a row for each variant, intervals as small bars.

use std::fmt::Write as _;

use super::chart::LOOKS;
use super::esc;
use crate::estimate::{Estimate, Verdict};
use crate::model::Run;
use crate::number;
use crate::summary::Summary;
use crate::words::{heading, rule};

const BAR: f64 = 170.0;

/// The table with what may be said about it.
pub(super) fn write(out: &mut String, run: &Run, summary: &Summary) {
    let first = summary
        .variants
        .first()
        .map_or("", |found| found.name.as_str());
    let _ = write!(
        out,
        "<section><h2>What was measured</h2>\n<div class=wide tabindex=0 role=region aria-label=\"What was measured\"><table class=figures>\
         <thead><tr><th scope=col>Variant<th scope=col class=n>Value<th scope=col>95 % interval<th scope=col class=n>Against {}\
         <th scope=col>95 % interval<th scope=col>Verdict</tr></thead>\n",
        esc(first)
    );
    for (index, metric) in summary.metrics.iter().enumerate() {
        let better = match metric.better {
            crate::Better::Lower => "less is better",
            crate::Better::Higher => "more is better",
            crate::Better::Neither => "",
        };
        let _ = writeln!(
            out,
            "<tbody><tr class=metric><th scope=rowgroup colspan=6>{} <span>{better}</span></tr>",
            esc(&heading(metric))
        );
        let own = summary.variants.iter().map(|found| &found.estimates[index]);
        let own: Vec<&Estimate> = own.collect();
        let range = reach(&own);
        for (variant, found) in summary.variants.iter().enumerate() {
            row(out, (variant, &found.name), own[variant], range);
        }
        out.push_str("</tbody>\n");
    }
    let _ = write!(
        out,
        "</table></div>\n<p>{}</p>\n<p class=quiet>{}</p></section>\n",
        esc(&summary.noise.text),
        esc(&rule(run, summary))
    );
}

fn row(out: &mut String, (variant, name): (usize, &str), estimate: &Estimate, range: (f64, f64)) {
    let (against, interval) = match &estimate.difference {
        Some(difference) => (
            number::difference(difference),
            number::difference_interval(difference),
        ),
        None => (String::new(), String::new()),
    };
    let words = if estimate.verdict == Verdict::First {
        String::new()
    } else {
        format!("{}{}", sign(estimate.verdict), estimate.verdict.words())
    };
    let missing = match estimate.missing {
        0 => String::new(),
        missing => format!(" <span class=quiet>({missing} missing)</span>"),
    };
    let _ = writeln!(
        out,
        "<tr><th scope=row><i class=\"dot s{}\"></i>{}<td class=n>{}{missing}<td>{}<td class=n>{against}<td class=\"n quiet\">{interval}\
         <td class=\"v {}\">{words}</tr>",
        variant % LOOKS,
        esc(name),
        number::value(estimate),
        bar(variant, estimate, range),
        class(estimate.verdict)
    );
}

fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "✓ ",
        Verdict::Worse => "✗ ",
        Verdict::Differs => "≠ ",
        _ => "",
    }
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "good",
        Verdict::Worse => "bad",
        Verdict::TooNoisy | Verdict::TooFew | Verdict::NotMeasured => "unsure",
        _ => "",
    }
}

/// The interval as a bar on the scale that the metric's variants share.
fn bar(variant: usize, estimate: &Estimate, (low, high): (f64, f64)) -> String {
    let Some(value) = estimate.value else {
        return "-".to_owned();
    };
    let at = |value: f64| 6.0 + (BAR - 12.0) * (value - low) / (high - low);
    let words = number::interval(estimate);
    let mut out = format!(
        "<svg class=\"interval s{}\" width=\"{BAR}\" height=\"18\" viewBox=\"0 0 {BAR} 18\" role=img aria-label=\"{words}\"><title>{words}</title>\
         <path class=rail d=\"M0 9H{BAR}\"/>",
        variant % LOOKS
    );
    if let (Some(from), Some(to)) = (estimate.low, estimate.high) {
        let (from, to) = (at(from), at(to));
        let _ = write!(
            out,
            "<path class=reach d=\"M{from:.1} 9H{to:.1}M{from:.1} 4.5V13.5M{to:.1} 4.5V13.5\"/>"
        );
    }
    let _ = write!(
        out,
        "<circle cx=\"{:.1}\" cy=\"9\" r=\"3.5\"/></svg>",
        at(value)
    );
    out
}

/// From the lowest to the highest end of the intervals, and zero when that is near.
fn reach(estimates: &[&Estimate]) -> (f64, f64) {
    let ends = estimates
        .iter()
        .flat_map(|each| [each.low, each.high, each.value]);
    let (low, high) = ends
        .flatten()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), end| {
            (low.min(end), high.max(end))
        });
    if !low.is_finite() || !high.is_finite() {
        return (0.0, 1.0);
    }
    let low = if low > 0.0 && low < high * 0.5 {
        0.0
    } else {
        low
    };
    if high > low {
        (low, high)
    } else {
        (low - 0.5, high + 0.5)
    }
}
