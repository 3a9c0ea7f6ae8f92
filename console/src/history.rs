//! Ten minutes of figures, one point a second, in bounded memory.

use std::collections::{BTreeMap, VecDeque};

use kernel::Timestamp;
use serde::Serialize;

use crate::flow::Figures;

const POINTS_MAX: usize = 600;
const SERIES_MAX: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct History {
    times: VecDeque<Timestamp>,
    series: BTreeMap<String, VecDeque<Option<Figures>>>,
}

/// The same as columns, for the page. Times are in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Columns {
    times: Vec<i64>,
    series: BTreeMap<String, SeriesColumns>,
}

#[derive(Debug, Serialize)]
struct SeriesColumns {
    rate: Vec<Option<f64>>,
    errors: Vec<Option<f64>>,
    p50_ms: Vec<Option<f64>>,
    p99_ms: Vec<Option<f64>>,
}

impl History {
    /// Adds a point. A series that has none gets a gap; one that is all gaps goes.
    pub(crate) fn push(&mut self, at: Timestamp, mut points: BTreeMap<String, Figures>) {
        let before = self.times.len().min(POINTS_MAX - 1);
        if self.times.len() == POINTS_MAX {
            self.times.pop_front();
        }
        self.times.push_back(at);
        for (name, values) in &mut self.series {
            if values.len() == POINTS_MAX {
                values.pop_front();
            }
            values.push_back(points.remove(name));
        }
        self.series
            .retain(|_, values| values.iter().any(Option::is_some));
        for (name, figures) in points {
            if self.series.len() < SERIES_MAX {
                let mut values: VecDeque<Option<Figures>> = vec![None; before].into();
                values.push_back(Some(figures));
                self.series.insert(name, values);
            }
        }
    }

    pub(crate) fn columns(&self) -> Columns {
        let column = |values: &VecDeque<Option<Figures>>, pick: fn(&Figures) -> Option<f64>| {
            values.iter().map(|v| v.as_ref().and_then(pick)).collect()
        };
        let series = self.series.iter().map(|(name, values)| {
            let columns = SeriesColumns {
                rate: column(values, |f| Some(f.rate)),
                errors: column(values, |f| Some(f.errors)),
                p50_ms: column(values, |f| f.p50_ms),
                p99_ms: column(values, |f| f.p99_ms),
            };
            (name.clone(), columns)
        });
        Columns {
            times: self.times.iter().map(|t| t.millis()).collect(),
            series: series.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(name: &str, rate: f64) -> BTreeMap<String, Figures> {
        [(
            name.to_owned(),
            Figures {
                rate,
                ..Figures::default()
            },
        )]
        .into()
    }

    #[test]
    fn columns_are_as_long_as_the_times_whenever_a_series_began() {
        let mut history = History::default();
        history.push(Timestamp::from_secs(1), point("a", 1.0));
        history.push(Timestamp::from_secs(2), point("b", 2.0));
        let columns = history.columns();
        assert_eq!(columns.times, [1_000, 2_000]);
        assert_eq!(columns.series["a"].rate, [Some(1.0), None]);
        assert_eq!(columns.series["b"].rate, [None, Some(2.0)]);
    }

    #[test]
    fn memory_is_bounded_and_forgotten_series_go() {
        let mut history = History::default();
        history.push(Timestamp::from_secs(0), point("gone", 1.0));
        for n in 1..=1_500 {
            history.push(Timestamp::from_secs(n), point("a", 1.0));
        }
        let columns = history.columns();
        assert_eq!(
            (columns.times.len(), columns.series["a"].rate.len()),
            (POINTS_MAX, POINTS_MAX)
        );
        assert_eq!(columns.series.len(), 1);
        let many = (0..5_000)
            .map(|n| (n.to_string(), Figures::default()))
            .collect();
        history.push(Timestamp::from_secs(2_000), many);
        assert_eq!(history.columns().series.len(), SERIES_MAX);
        let lengths: Vec<usize> = history.series.values().map(VecDeque::len).collect();
        assert!(lengths.iter().all(|l| *l == POINTS_MAX), "{lengths:?}");
    }
}
