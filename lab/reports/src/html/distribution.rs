//! The distribution of latency in the manner of HDR histograms: each step to the right is one of ten
//! of the slowest that are left.

use std::fmt::Write as _;

use super::chart::{Axis, LOOKS, area, line, median, range};
use super::esc;
use crate::model::{Run, Trial};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 748.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 270.0;

/// The finest quantile shown: 99.99 %.
const NINES_MAX: f64 = 4.0;
const STEP: f64 = 0.1;

/// A variant's latency at each step of nines: the median over its trials, the lowest, the highest.
type Curve = Vec<(f64, f64, f64, f64)>;

/// One chart with a line for each variant.
pub(super) fn write(out: &mut String, run: &Run) {
    let curves: Vec<Curve> = (0..run.variants.len())
        .map(|variant| curve(run, variant))
        .collect();
    let values = || curves.iter().flatten();
    let latencies = values().flat_map(|point| [point.1, point.2, point.3]);
    let (Some(latency), Some(nines)) = (
        range(latencies),
        values().map(|point| point.0).reduce(f64::max),
    ) else {
        return;
    };
    let x = Axis::linear((0.0, nines), (LEFT, RIGHT));
    let y = Axis::log(latency, (BOTTOM, TOP));
    out.push_str(
        "<section><h2>How latency is spread</h2>\n<p class=quiet>Lines are medians over trials, bands reach from \
         the lowest to the highest trial. To the right are ever rarer answers.</p>\n<p class=legend>",
    );
    for (variant, each) in run.variants.iter().enumerate() {
        let look = variant % LOOKS;
        let _ = write!(
            out,
            "<span><svg width=30 height=10 aria-hidden=true><path class=\"spread s{look}\" d=\"M0 5H30\"/></svg> {}</span>",
            esc(&each.name)
        );
    }
    let _ = write!(
        out,
        "</p>\n<figure><div class=wide><svg viewBox=\"0 0 {WIDTH} {:.0}\" role=img><title>Latency by percentile</title><desc>{}</desc>",
        BOTTOM + 36.0,
        esc(&described(run, &curves))
    );
    axes(out, &x, &y, nines);
    for (variant, curve) in curves.iter().enumerate() {
        let look = variant % LOOKS;
        let along = |what: fn(&(f64, f64, f64, f64)) -> f64| -> Vec<(f64, f64)> {
            let points = curve.iter().map(|point| (x.at(point.0), y.at(what(point))));
            points.collect()
        };
        let (middle, low, high) = (
            along(|point| point.1),
            along(|point| point.2),
            along(|point| point.3),
        );
        let _ = write!(
            out,
            "<path class=\"band s{look}\" d=\"{}\"/><path class=\"spread s{look}\" d=\"{}\"/>",
            area(&high, &low),
            line(middle.into_iter().map(Some))
        );
    }
    out.push_str("</svg></div></figure></section>\n");
}

fn axes(out: &mut String, x: &Axis, y: &Axis, nines: f64) {
    for (at, text) in y.ticks() {
        let _ = write!(
            out,
            "<path class=grid d=\"M{LEFT} {at:.1}H{RIGHT}\"/><text class=\"tick end\" x=\"{:.0}\" y=\"{:.1}\">{text}</text>",
            LEFT - 6.0,
            at + 4.0
        );
    }
    for (quantile, label) in [
        (0.0, "0 %"),
        (0.5, "50 %"),
        (0.9, "90 %"),
        (0.99, "99 %"),
        (0.999, "99.9 %"),
        (0.9999, "99.99 %"),
    ] {
        let along = nines_of(quantile);
        if along > nines + 1e-6 {
            continue;
        }
        let at = x.at(along);
        let anchor = if at > RIGHT - 20.0 { "end" } else { "mid" };
        let _ = write!(
            out,
            "<path class=grid d=\"M{at:.1} {TOP}V{BOTTOM}\"/><text class=\"tick {anchor}\" x=\"{at:.1}\" y=\"{:.0}\">{label}</text>",
            BOTTOM + 15.0
        );
    }
    let _ = write!(
        out,
        "<text class=\"tick end\" x=\"{RIGHT}\" y=\"{:.0}\">share of answers that were at least as quick; milliseconds</text>",
        BOTTOM + 31.0
    );
}

/// 90 % is one nine, 99 % two.
fn nines_of(quantile: f64) -> f64 {
    -(1.0 - quantile).log10()
}

fn curve(run: &Run, variant: usize) -> Curve {
    let own = run.trials.iter().filter(|trial| trial.variant == variant);
    let trials: Vec<Vec<(f64, f64)>> = own.map(points).filter(|points| points.len() >= 2).collect();
    // As far as every trial reaches.
    let ends = trials.iter().filter_map(|points| Some(points.last()?.0));
    let Some(end) = ends.reduce(f64::min) else {
        return Vec::new();
    };
    let steps = (end.min(NINES_MAX) / STEP + 1e-9).floor() as u32;
    (0..=steps)
        .map(|step| f64::from(step) * STEP)
        .filter_map(|nines| {
            let mut values: Vec<f64> = trials
                .iter()
                .filter_map(|points| between(points, nines))
                .collect();
            let middle = median(&mut values)?;
            Some((nines, middle, *values.first()?, *values.last()?))
        })
        .collect()
}

/// A trial's quantiles as nines and the logarithm of milliseconds.
fn points(trial: &Trial) -> Vec<(f64, f64)> {
    let known = trial
        .latency
        .iter()
        .filter(|(quantile, ms)| (0.0..1.0).contains(quantile) && ms.is_finite() && *ms > 0.0);
    let mut points: Vec<(f64, f64)> = known
        .map(|(quantile, ms)| (nines_of(*quantile), ms.ln()))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// The milliseconds at a place between two known ones.
fn between(points: &[(f64, f64)], nines: f64) -> Option<f64> {
    let after = points.iter().position(|point| point.0 >= nines - 1e-9)?;
    let (x2, y2) = points[after];
    let Some((x1, y1)) = after.checked_sub(1).map(|before| points[before]) else {
        return Some(y2.exp());
    };
    let share = if x2 > x1 {
        ((nines - x1) / (x2 - x1)).clamp(0.0, 1.0)
    } else {
        1.0
    };
    Some((y1 + share * (y2 - y1)).exp())
}

fn described(run: &Run, curves: &[Curve]) -> String {
    let mut text = String::new();
    for (variant, curve) in run.variants.iter().zip(curves) {
        let at = |nines: f64| curve.iter().find(|point| (point.0 - nines).abs() < 1e-6);
        if let (Some(p90), Some(p99)) = (at(1.0), at(2.0)) {
            let (p90, p99) = (crate::number::number(p90.1), crate::number::number(p99.1));
            let _ = write!(
                text,
                "{}: 90 % within {p90} ms, 99 % within {p99} ms. ",
                variant.name
            );
        }
    }
    text
}
