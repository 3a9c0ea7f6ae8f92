//! Which series there are. A family refuses more than [`SERIES_MAX`] of them, so that a label
//! whose values come from outside cannot fill the memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;

use super::histogram::Unit;
use super::render::{self, Collected, Kind};
use super::{Counter, Gauge, Histogram};

/// How many series one family may have.
pub const SERIES_MAX: usize = 1_000;
const LABEL_VALUE_BYTES_MAX: usize = 128;

pub(super) type Labels = Vec<(Box<str>, Box<str>)>;

#[derive(Debug, Clone)]
pub(super) enum Series {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

#[derive(Debug)]
pub(super) struct Family {
    pub(super) kind: Kind,
    pub(super) help: Box<str>,
    pub(super) series: BTreeMap<Labels, Series>,
}

type Collector = Box<dyn Fn(&mut Collected) + Send + Sync>;

struct Registry {
    families: RwLock<BTreeMap<Box<str>, Family>>,
    collectors: RwLock<Vec<Collector>>,
    refused: Counter,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("families", &self.families.read().len())
            .finish()
    }
}

/// All series of a process. Cheap to clone; clones share their state.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Registry>);

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// A registry that holds only its own count of refused series.
    #[must_use]
    pub fn new() -> Self {
        let metrics = Self(Arc::new(Registry {
            families: RwLock::default(),
            collectors: RwLock::default(),
            refused: Counter::detached(),
        }));
        let refused = metrics.0.refused.clone();
        metrics.collect(move |out| {
            #[expect(clippy::cast_precision_loss, reason = "a count of mistakes")]
            out.counter(
                "telemetry_series_refused_total",
                "Series that were not recorded: too many in the family, or a name used twice.",
                &[],
                refused.get() as f64,
            );
        });
        metrics
    }

    /// The counter with this name and these labels; made when it is not there yet.
    /// The name ends in `_total`.
    #[must_use]
    pub fn counter(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Counter {
        let new = || Series::Counter(Counter::detached());
        match self.series(Kind::Counter, name, help, labels, new) {
            Some(Series::Counter(counter)) => counter,
            _ => Counter::detached(),
        }
    }

    /// The gauge with this name and these labels; made when it is not there yet.
    #[must_use]
    pub fn gauge(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Gauge {
        let new = || Series::Gauge(Gauge::detached());
        match self.series(Kind::Gauge, name, help, labels, new) {
            Some(Series::Gauge(gauge)) => gauge,
            _ => Gauge::detached(),
        }
    }

    /// The histogram of times with this name and these labels; made when it is not there yet.
    /// The name ends in `_seconds`.
    #[must_use]
    pub fn histogram(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Histogram {
        self.histogram_in(Unit::Micros, name, help, labels)
    }

    /// The histogram of plain numbers (sizes, counts) with this name and these labels.
    #[must_use]
    pub fn distribution(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Histogram {
        self.histogram_in(Unit::One, name, help, labels)
    }

    fn histogram_in(
        &self,
        unit: Unit,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
    ) -> Histogram {
        let new = || Series::Histogram(Histogram::new(unit));
        match self.series(Kind::Histogram, name, help, labels, new) {
            Some(Series::Histogram(histogram)) if histogram.unit() == unit => histogram,
            _ => Histogram::new(unit),
        }
    }

    /// Calls `fill` at each render, for values that are known elsewhere.
    pub fn collect(&self, fill: impl Fn(&mut Collected) + Send + Sync + 'static) {
        self.0.collectors.write().push(Box::new(fill));
    }

    /// How many series were refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.refused.get()
    }

    /// Everything as Prometheus text, format 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        let mut collected = Collected::default();
        for fill in self.0.collectors.read().iter() {
            fill(&mut collected);
        }
        render::text(&self.0.families.read(), collected)
    }

    /// `None` when the series is refused: the caller then counts into a handle that nobody reads.
    fn series(
        &self,
        kind: Kind,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        new: impl FnOnce() -> Series,
    ) -> Option<Series> {
        let key = key(labels);
        if let Some(family) = self.0.families.read().get(name)
            && family.kind == kind
            && let Some(series) = family.series.get(&key)
        {
            return Some(series.clone());
        }
        if !render::is_name(name) {
            self.0.refused.inc();
            return None;
        }
        let mut families = self.0.families.write();
        let family = families.entry(name.into()).or_insert_with(|| Family {
            kind,
            help: help.into(),
            series: BTreeMap::new(),
        });
        let known = family.series.contains_key(&key);
        let full = !known && family.series.len() >= SERIES_MAX;
        if family.kind != kind || full {
            self.0.refused.inc();
            return None;
        }
        Some(family.series.entry(key).or_insert_with(new).clone())
    }
}

/// Labels in one order, whatever order they came in.
fn key(labels: &[(&str, &str)]) -> Labels {
    let mut key: Labels = labels
        .iter()
        .map(|(name, value)| ((*name).into(), shortened(value).into()))
        .collect();
    key.sort_unstable();
    key
}

fn shortened(value: &str) -> &str {
    &value[..value.floor_char_boundary(LABEL_VALUE_BYTES_MAX)]
}
