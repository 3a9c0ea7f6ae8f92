//! The price list: what was found of each setting of each knob.

use reports::{Estimate, Machine, Metric, Run, Verdict, summary};
use serde::Serialize;

use super::{PricePlan, load, number};

/// What is shown, in this order. Everything else that was measured is in the runs.
const SHOWN: [&str; 6] = [
    "p50_ms",
    "p99_ms",
    "good_per_s",
    "cpu_us",
    "disk_bytes",
    "wire_bytes",
];

/// What each setting costs, by knob.
#[derive(Debug, Clone, Serialize)]
pub struct PriceList {
    /// The version of this format; 1.
    pub format: u32,
    /// Whether it is the short form.
    pub quick: bool,
    /// Whether the program that was measured is a debug build, which is slower.
    pub debug_build: bool,
    /// The version of the program.
    pub version: String,
    /// When the first run began: microseconds since the Unix epoch.
    pub started_at: i64,
    /// How long all runs took, in seconds.
    pub elapsed_s: f64,
    /// Where they took place.
    pub machine: Machine,
    /// What is shown of each, in this order.
    pub metrics: Vec<Metric>,
    /// The knobs.
    pub prices: Vec<Price>,
}

/// What the settings of one knob cost.
#[derive(Debug, Clone, Serialize)]
pub struct Price {
    /// The knob: `links.cache`.
    pub knob: String,
    /// What the load is, in a few words.
    pub shows: String,
    /// The request whose latency is meant.
    pub request: String,
    /// How many requests were due, per second.
    pub rate: f64,
    /// The settings, the default first; the others are compared with it.
    pub settings: Vec<Priced>,
    /// Everything that was recorded.
    pub run: Run,
}

/// What one setting costs.
#[derive(Debug, Clone, Serialize)]
pub struct Priced {
    /// The setting.
    pub value: String,
    /// Its estimates with their differences to the default, in the order of [`PriceList::metrics`].
    pub estimates: Vec<Estimate>,
}

impl PriceList {
    /// The list of what was measured; nothing without a run.
    #[must_use]
    pub fn of(measured: Vec<(PricePlan, Run)>) -> Option<Self> {
        let (_, first) = measured.first()?;
        let metrics = SHOWN.iter().filter_map(|name| {
            let mut known = first.metrics.iter();
            known.find(|metric| metric.name == *name).cloned()
        });
        let list = Self {
            format: 1,
            quick: first.quick,
            debug_build: cfg!(debug_assertions),
            version: first.version.clone(),
            started_at: first.started_at,
            elapsed_s: measured.iter().map(|(_, run)| run.elapsed_s).sum(),
            machine: first.machine.clone(),
            metrics: metrics.collect(),
            prices: Vec::new(),
        };
        let prices = measured.into_iter();
        let prices = prices.map(|(plan, run)| Price::of(&plan, run)).collect();
        Some(Self { prices, ..list })
    }

    /// What has no price, as `links.cache = none: p99`: it was not measured, or not often enough.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for price in &self.prices {
            for setting in &price.settings {
                for metric in &self.metrics {
                    let mut found = setting.estimates.iter();
                    let found = found.find(|estimate| estimate.metric == metric.name);
                    let known = found.is_some_and(|estimate| {
                        let verdict = estimate.verdict;
                        let told = !matches!(verdict, Verdict::NotMeasured | Verdict::TooFew);
                        estimate.value.is_some() && told
                    });
                    if !known {
                        let (knob, value) = (&price.knob, &setting.value);
                        missing.push(format!("{knob} = {value}: {}", metric.label));
                    }
                }
            }
        }
        missing
    }

    /// Rows for a terminal, the first of which is their heading.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<String>> {
        let heading = ["KNOB", "VALUE", "OF", "PRICE", "95 % INTERVAL", "VERDICT"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        for price in &self.prices {
            for (setting, number) in price.settings.iter().zip(0..) {
                for (estimate, metric) in setting.estimates.iter().zip(&self.metrics) {
                    let first = estimate.metric == SHOWN[0];
                    let knob = if first && number == 0 {
                        &price.knob
                    } else {
                        ""
                    };
                    let value = if first { &setting.value } else { "" };
                    let [cost, interval, verdict] = told(estimate, metric);
                    let cells = [knob, value, &metric.label, &cost, &interval, &verdict];
                    rows.push(cells.map(str::to_owned).to_vec());
                }
            }
        }
        rows
    }
}

/// The price, its interval and the verdict.
fn told(estimate: &Estimate, metric: &Metric) -> [String; 3] {
    match (&estimate.difference, estimate.verdict) {
        (_, Verdict::First) => [
            number::value(estimate, &metric.unit),
            number::interval(estimate),
            "the default".to_owned(),
        ],
        (Some(difference), verdict) => [
            number::difference(difference, &metric.unit),
            number::difference_interval(difference),
            verdict.words().to_owned(),
        ],
        (None, verdict) => [String::new(), String::new(), verdict.words().to_owned()],
    }
}

impl Price {
    fn of(plan: &PricePlan, run: Run) -> Self {
        let found = summary(&run).variants.into_iter();
        let settings = found.map(|found| Priced {
            value: found.name,
            estimates: SHOWN
                .iter()
                .filter_map(|name| {
                    let mut all = found.estimates.iter();
                    all.find(|estimate| estimate.metric == *name).cloned()
                })
                .collect(),
        });
        let load = &plan.spec.load;
        let request = load.request.first();
        Self {
            knob: plan.knob.name.clone(),
            shows: load::shows(&plan.spec),
            request: request.map_or_else(String::new, |request| request.name.clone()),
            rate: load.rate,
            settings: settings.collect(),
            run,
        }
    }
}
