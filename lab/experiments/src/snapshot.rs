//! What the processes of a system have counted: read before and after, and compared.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The metrics of one process, as `/system/metrics` answers them.
#[derive(Debug, Deserialize)]
pub(crate) struct Measured {
    pub(crate) replica: String,
    pub(crate) metrics: String,
}

/// By process and series; the buckets of histograms are left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot(BTreeMap<(String, String), f64>);

impl Snapshot {
    pub(crate) fn of(all: &[Measured]) -> Self {
        let mut series = BTreeMap::new();
        for Measured { replica, metrics } in all {
            for line in metrics.lines().filter(|line| !line.starts_with('#')) {
                let Some((name, value)) = line.rsplit_once(' ') else {
                    continue;
                };
                if name.contains("_bucket{") {
                    continue;
                }
                if let Ok(value) = value.parse() {
                    series.insert((replica.clone(), name.to_owned()), value);
                }
            }
        }
        Self(series)
    }

    /// What the series that `selector` names are now, added up over processes.
    pub(crate) fn sum(&self, selector: &Selector) -> f64 {
        let of = self.0.iter().filter(|((_, name), _)| selector.takes(name));
        of.map(|(_, value)| value).sum()
    }

    /// By how much they have grown since `before`. A process that has started again counts from
    /// zero.
    pub(crate) fn grown(&self, before: &Self, selector: &Selector) -> f64 {
        let of = self.0.iter().filter(|((_, name), _)| selector.takes(name));
        of.map(|(key, now)| {
            let was = before.0.get(key).copied().unwrap_or(0.0);
            if *now >= was { now - was } else { *now }
        })
        .sum()
    }

    /// Whether there is any such series.
    pub(crate) fn knows(&self, selector: &Selector) -> bool {
        self.0.keys().any(|(_, name)| selector.takes(name))
    }

    /// Who calls whom, by what the gateway and the edges have counted.
    pub(crate) fn edges(&self) -> Vec<(String, String)> {
        let mut edges = Vec::new();
        for (_, series) in self.0.keys() {
            let edge = match series.split_once('{') {
                Some(("http_requests_total", labels)) => label(labels, "service")
                    .filter(|service| !matches!(*service, "gateway" | "console"))
                    .map(|service| ("gateway", service)),
                Some(("mesh_calls_total", labels)) => {
                    label(labels, "caller").zip(label(labels, "callee"))
                }
                _ => None,
            };
            edges.extend(edge.map(|(from, to)| (from.to_owned(), to.to_owned())));
        }
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// The names of all series, without labels.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .0
            .keys()
            .map(|(_, series)| series.split('{').next().unwrap_or(series))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// The value of a label.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let of = |label: &'a str| label.trim_end_matches('}').strip_prefix(name);
    let value = labels.split(',').find_map(of)?.strip_prefix("=\"")?;
    Some(value.trim_end_matches('"'))
}

/// Which series are meant: `name`, or `name{label="value",...}` where other labels may be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector {
    name: String,
    labels: Vec<String>,
}

impl Selector {
    pub(crate) fn new(text: &str) -> Self {
        let (name, labels) = match text.split_once('{') {
            Some((name, rest)) => (name, rest.trim_end().trim_end_matches('}')),
            None => (text, ""),
        };
        Self {
            name: name.trim().to_owned(),
            labels: labels
                .split(',')
                .map(|label| label.trim().to_owned())
                .filter(|label| !label.is_empty())
                .collect(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn takes(&self, series: &str) -> bool {
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let labels = labels.trim_end_matches('}');
        name == self.name
            && self
                .labels
                .iter()
                .all(|wanted| labels.split(',').any(|label| label == wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(replica: &str, text: &str) -> Snapshot {
        Snapshot::of(&[Measured {
            replica: replica.to_owned(),
            metrics: text.to_owned(),
        }])
    }

    #[test]
    fn growth_is_added_up_over_the_series_that_are_meant() {
        let before = snapshot("a", "hits{cache=\"x\",of=\"1\"} 5\nhits{cache=\"y\"} 1\n");
        let after = snapshot(
            "a",
            "# HELP\nhits{cache=\"x\",of=\"1\"} 9\nhits{cache=\"y\"} 2\n",
        );
        let all = Selector::new("hits");
        let one = Selector::new("hits{cache=\"x\"}");
        assert_eq!(after.grown(&before, &all), 5.0);
        assert_eq!(after.grown(&before, &one), 4.0);
        assert_eq!(after.sum(&one), 9.0);
        assert!(!after.knows(&Selector::new("hits{cache=\"z\"}")));
        assert!(!after.knows(&Selector::new("hit")));
    }

    #[test]
    fn who_calls_whom_is_read_from_what_was_counted() {
        let text = "http_requests_total{route=\"/\",service=\"links\",status=\"2xx\"} 1\n\
                    http_requests_total{route=\"none\",service=\"gateway\",status=\"2xx\"} 1\n\
                    mesh_calls_total{callee=\"back\",caller=\"front\",code=\"ok\"} 0\n";
        let edges = snapshot("a", text).edges();
        let named: Vec<(&str, &str)> = edges.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(named, [("front", "back"), ("gateway", "links")]);
    }

    #[test]
    fn a_process_that_started_again_counts_from_zero() {
        let before = snapshot("a", "n 100\n");
        assert_eq!(
            snapshot("a", "n 7\n").grown(&before, &Selector::new("n")),
            7.0
        );
        assert_eq!(
            snapshot("b", "n 7\n").grown(&before, &Selector::new("n")),
            7.0
        );
    }
}
