//! Second by second, a chart for each variant: latency above, answers below, what happened across both.

mod marks;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::chart::{Axis, LOOKS, area, line, median, range};
use super::esc;
use crate::model::{Run, Second, Trial};
use marks::Shown;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 748.0;
const LATENCY: f64 = 130.0;
const ANSWERS: f64 = 56.0;
const BETWEEN: f64 = 16.0;

/// A second of a variant: medians over its trials.
#[derive(Debug, Clone, Copy, Default)]
struct Moment {
    second: u32,
    p50: Option<f64>,
    p99: Option<f64>,
    good: f64,
    bad: f64,
}

/// The axes that all charts share, so that they can be compared.
struct Shared {
    seconds: (f64, f64),
    latency: Option<(f64, f64)>,
    answers: f64,
}

/// A chart for each variant.
pub(super) fn write(out: &mut String, run: &Run) {
    let all: Vec<Vec<Moment>> = (0..run.variants.len())
        .map(|variant| moments(run, variant))
        .collect();
    let flat = || all.iter().flatten();
    let Some(last) = flat().map(|moment| moment.second).max() else {
        return;
    };
    let shared = Shared {
        seconds: (0.0, f64::from(last) + 1.0),
        latency: range(flat().flat_map(|moment| [moment.p50, moment.p99]).flatten()),
        answers: flat()
            .map(|moment| moment.good + moment.bad)
            .fold(0.0, f64::max),
    };
    out.push_str(
        "<section><h2>Second by second</h2>\n<p class=quiet>Medians over the trials of a variant. Latency in \
         milliseconds, on a scale of orders of magnitude; below it, answers each second.</p>\n",
    );
    legend(out, run);
    for (variant, moments) in all.iter().enumerate() {
        if moments.is_empty() {
            continue;
        }
        let first = (variant > 0).then(|| all[0].as_slice());
        figure(out, run, variant, (moments, first, &shared));
    }
    out.push_str("</section>\n");
}

fn legend(out: &mut String, run: &Run) {
    let first = run
        .variants
        .first()
        .map_or("", |variant| variant.name.as_str());
    let _ = writeln!(
        out,
        "<p class=legend><span><svg width=30 height=10 aria-hidden=true><path class=\"p99 s0\" d=\"M0 5H30\"/></svg> p99</span>\
         <span><svg width=30 height=10 aria-hidden=true><path class=\"p50 s0\" d=\"M0 5H30\"/></svg> p50</span>\
         <span><svg width=30 height=10 aria-hidden=true><path class=ghost d=\"M0 5H30\"/></svg> p99 of {}</span>\
         <span><svg width=30 height=12 aria-hidden=true><rect class=\"ok s0\" width=30 height=12 /></svg> good answers</span>\
         <span><svg width=30 height=12 aria-hidden=true><rect class=failed width=30 height=12 /></svg> bad answers</span></p>",
        esc(first)
    );
}

/// Each second in which anything happened.
fn moments(run: &Run, variant: usize) -> Vec<Moment> {
    let mut seconds: BTreeMap<u32, Vec<Second>> = BTreeMap::new();
    let own = run.trials.iter().filter(|trial| trial.variant == variant);
    for second in own.flat_map(|trial| &trial.seconds) {
        seconds.entry(second.second).or_default().push(*second);
    }
    let of = |seconds: &[Second], what: fn(&Second) -> f64| {
        let mut values: Vec<f64> = seconds
            .iter()
            .map(what)
            .filter(|value| value.is_finite())
            .collect();
        median(&mut values)
    };
    // A time of zero is that of a second in which nothing ended.
    let time = |value: Option<f64>| value.filter(|value| *value > 0.0);
    seconds
        .into_iter()
        .map(|(second, all)| Moment {
            second,
            p50: time(of(&all, |second| second.p50_ms)),
            p99: time(of(&all, |second| second.p99_ms)),
            good: of(&all, |second| second.good as f64).unwrap_or_default(),
            bad: of(&all, |second| second.bad as f64).unwrap_or_default(),
        })
        .collect()
}

fn figure(
    out: &mut String,
    run: &Run,
    variant: usize,
    (moments, first, shared): (&[Moment], Option<&[Moment]>, &Shared),
) {
    let trials: Vec<&Trial> = run
        .trials
        .iter()
        .filter(|trial| trial.variant == variant)
        .collect();
    let x = Axis::linear(shared.seconds, (LEFT, RIGHT));
    let marks = marks::of(&trials, shared.seconds.1);
    let rows = marks::rows(&marks, &x);
    let top = 8.0 + 15.0 * rows as f64;
    let bottom = top + LATENCY;
    let floor = bottom + BETWEEN + ANSWERS;
    let name = run
        .variants
        .get(variant)
        .map_or("", |each| each.name.as_str());
    let _ = write!(
        out,
        "<figure class=\"s{}\"><figcaption><i class=\"dot s{}\"></i><b>{}</b> {}</figcaption><div class=wide>\
         <svg viewBox=\"0 0 {WIDTH} {:.0}\" role=img><title>{}: latency and answers, second by second</title><desc>{}</desc>",
        variant % LOOKS,
        variant % LOOKS,
        esc(name),
        esc(run
            .variants
            .get(variant)
            .map_or("", |each| each.label.as_str())),
        floor + 34.0,
        esc(name),
        esc(&described(moments, &marks))
    );
    marks::draw(out, &marks, &x, (top, floor));
    if let Some(latency) = shared.latency {
        let y = Axis::log(latency, (bottom, top));
        latencies(out, moments, first, (&x, &y));
    }
    let y = Axis::linear((0.0, shared.answers), (floor, floor - ANSWERS));
    answers(out, moments, (&x, &y));
    for (at, text) in x.ticks() {
        let _ = write!(
            out,
            "<text class=\"tick mid\" x=\"{at:.1}\" y=\"{:.1}\">{text}</text>",
            floor + 15.0
        );
    }
    let _ = writeln!(
        out,
        "<text class=\"tick end\" x=\"{RIGHT}\" y=\"{:.1}\">seconds since the load began</text></svg></div></figure>",
        floor + 30.0
    );
}

fn latencies(
    out: &mut String,
    moments: &[Moment],
    first: Option<&[Moment]>,
    (x, y): (&Axis, &Axis),
) {
    for (at, text) in y.ticks() {
        let _ = write!(
            out,
            "<path class=grid d=\"M{LEFT} {at:.1}H{RIGHT}\"/><text class=\"tick end\" x=\"{:.0}\" y=\"{:.1}\">{text}</text>",
            LEFT - 6.0,
            at + 4.0
        );
    }
    let path = |moments: &[Moment], what: fn(&Moment) -> Option<f64>| {
        let point =
            |moment: &Moment| Some((x.at(f64::from(moment.second) + 0.5), y.at(what(moment)?)));
        line(moments.iter().map(point))
    };
    if let Some(first) = first {
        let _ = write!(
            out,
            "<path class=ghost d=\"{}\"/>",
            path(first, |moment| moment.p99)
        );
    }
    let _ = write!(
        out,
        "<path class=p50 d=\"{}\"/><path class=p99 d=\"{}\"/>",
        path(moments, |moment| moment.p50),
        path(moments, |moment| moment.p99)
    );
}

/// Good answers, and bad ones on top of them, as steps of a second.
fn answers(out: &mut String, moments: &[Moment], (x, y): (&Axis, &Axis)) {
    for (at, text) in y.ticks().into_iter().step_by(2) {
        let _ = write!(
            out,
            "<path class=grid d=\"M{LEFT} {at:.1}H{RIGHT}\"/><text class=\"tick end\" x=\"{:.0}\" y=\"{:.1}\">{text}</text>",
            LEFT - 6.0,
            at + 4.0
        );
    }
    let steps = |what: fn(&Moment) -> f64| -> Vec<(f64, f64)> {
        let both = moments.iter().flat_map(|moment| {
            let (from, to) = (f64::from(moment.second), f64::from(moment.second) + 1.0);
            let height = y.at(what(moment));
            [(x.at(from), height), (x.at(to), height)]
        });
        both.collect()
    };
    let (zero, good, all) = (
        steps(|_| 0.0),
        steps(|moment| moment.good),
        steps(|moment| moment.good + moment.bad),
    );
    let _ = write!(
        out,
        "<path class=ok d=\"{}\"/><path class=failed d=\"{}\"/>",
        area(&good, &zero),
        area(&all, &good)
    );
}

/// The chart in words.
fn described(moments: &[Moment], marks: &[Shown]) -> String {
    let worst = moments
        .iter()
        .filter_map(|moment| Some((moment.p99?, moment.second)));
    let worst = worst.max_by(|a, b| a.0.total_cmp(&b.0));
    let mut text = match worst {
        Some((p99, second)) => format!(
            "The highest p99 is {} ms, in second {second}.",
            crate::number::number(p99)
        ),
        None => "No latency was measured.".to_owned(),
    };
    for mark in marks {
        let _ = write!(text, " {}.", mark.words());
    }
    text
}
