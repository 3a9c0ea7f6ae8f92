//! The Prometheus text format, version 0.0.4.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Histogram;
use super::histogram::BOUNDS;
use super::registry::{Family, Series};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

#[derive(Debug)]
struct CollectedFamily {
    kind: Kind,
    help: String,
    lines: BTreeMap<String, f64>,
}

/// What callbacks add to a render.
#[derive(Debug, Default)]
pub struct Collected {
    families: BTreeMap<String, CollectedFamily>,
}

impl Collected {
    /// Adds a value that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        self.add(Kind::Gauge, name, help, labels, value);
    }

    /// Adds a value that only grows.
    pub fn counter(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        self.add(Kind::Counter, name, help, labels, value);
    }

    fn add(&mut self, kind: Kind, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        let family = self
            .families
            .entry(name.to_owned())
            .or_insert_with(|| CollectedFamily {
                kind,
                help: help.to_owned(),
                lines: BTreeMap::new(),
            });
        let room = family.lines.len() < super::SERIES_MAX;
        if family.kind == kind && room && is_name(name) {
            let pairs = labels.iter().map(|(n, v)| (*n, *v));
            family.lines.insert(label_text(pairs), value);
        }
    }
}

/// Whether `name` may be a metric's name.
pub(super) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Every family once, sorted by name; a family that both sides know is merged.
pub(super) fn text(families: &BTreeMap<Box<str>, Family>, mut collected: Collected) -> String {
    let mut out = String::with_capacity(16 * 1024);
    for (name, family) in families {
        let extra = collected.families.remove(&**name);
        if family.series.is_empty() {
            continue;
        }
        head(&mut out, name, &family.help, family.kind);
        for (labels, series) in &family.series {
            let pairs = || labels.iter().map(|(n, v)| (&**n, &**v));
            match series {
                Series::Counter(c) => line(&mut out, name, &label_text(pairs()), c.get()),
                Series::Gauge(g) => line(&mut out, name, &label_text(pairs()), g.get()),
                Series::Histogram(h) => histogram(&mut out, name, h, labels),
            }
        }
        for (labels, value) in extra
            .filter(|e| e.kind == family.kind)
            .into_iter()
            .flat_map(|e| e.lines)
        {
            line(&mut out, name, &labels, value);
        }
    }
    for (name, family) in collected.families {
        head(&mut out, &name, &family.help, family.kind);
        for (labels, value) in family.lines {
            line(&mut out, &name, &labels, value);
        }
    }
    out
}

fn head(out: &mut String, name: &str, help: &str, kind: Kind) {
    let help = help.replace('\\', "\\\\").replace('\n', "\\n");
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {}", kind.name());
}

fn line(out: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = writeln!(out, "{name}{labels} {value}");
}

/// The count is the sum of the buckets, so the two agree also while others are counting.
fn histogram(out: &mut String, name: &str, h: &Histogram, labels: &[(Box<str>, Box<str>)]) {
    let labels = |le: Option<&str>| {
        let pairs = labels.iter().map(|(n, v)| (&**n, &**v));
        label_text(pairs.chain(le.map(|le| ("le", le))))
    };
    let buckets = h.buckets();
    let mut total = 0;
    for (index, n) in buckets.iter().enumerate() {
        total += n;
        let bound = if index == BOUNDS {
            "+Inf".to_owned()
        } else {
            h.unit().bound(index).to_string()
        };
        let _ = writeln!(out, "{name}_bucket{} {total}", labels(Some(&bound)));
    }
    let labels = labels(None);
    let _ = writeln!(
        out,
        "{name}_sum{labels} {}\n{name}_count{labels} {total}",
        h.sum()
    );
}

fn label_text<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (name, value) in labels {
        out.push(if out.is_empty() { '{' } else { ',' });
        out.push_str(name);
        out.push_str("=\"");
        for c in value.chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                '\n' => out.push_str("\\n"),
                c => out.push(c),
            }
        }
        out.push('"');
    }
    if !out.is_empty() {
        out.push('}');
    }
    out
}
