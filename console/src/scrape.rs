//! Reads the Prometheus text of one process and keeps the few families that the page shows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::flow::{Counts, Flows, Key};

/// How many flows one process may have; the rest of a text is passed over.
const FLOWS_MAX: usize = 2_000;
/// Where requests come in.
pub(crate) const ENTRY: &str = "gateway";
const CONSOLE: &str = "console";

/// What one process said of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    pub(crate) flows: Flows,
    /// Whether the breaker of an edge holds calls back.
    pub(crate) breakers: BTreeMap<(String, String), bool>,
    /// Events that wait, from one service for another.
    pub(crate) lag: BTreeMap<(String, String), f64>,
    pub(crate) memory_bytes: Option<f64>,
    pub(crate) cpu_seconds: Option<f64>,
}

impl Sample {
    pub(crate) fn parse(text: &str) -> Self {
        let mut sample = Self::default();
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            if let Some((name, labels, value)) = parts(line) {
                sample.take(name, &Labels(labels), value);
            }
        }
        sample
    }

    fn take(&mut self, name: &str, labels: &Labels<'_>, value: f64) {
        match name {
            "process_resident_memory_bytes" => self.memory_bytes = Some(value),
            "process_cpu_seconds_total" => self.cpu_seconds = Some(value),
            "http_requests_total" => self.http(labels, value),
            "http_request_duration_seconds_bucket" => self.http_bucket(labels, value),
            "mesh_calls_total" => self.call(labels, value),
            "mesh_call_seconds_bucket" => self.bucket(labels, edge(labels), value),
            "mesh_breaker_open" => {
                let ends = (
                    labels.get("caller").into_owned(),
                    labels.get("callee").into_owned(),
                );
                self.breakers.insert(ends, value > 0.0);
            }
            "bus_carried_total" => {
                if let Some((from, to)) = events(labels) {
                    self.count(Key::Events(from, to), value, false);
                }
            }
            "bus_lag_events" => {
                if let Some(ends) = events(labels) {
                    *self.lag.entry(ends).or_default() += value;
                }
            }
            _ => {}
        }
    }

    fn http(&mut self, labels: &Labels<'_>, value: f64) {
        let failed = labels.get("status") == "5xx";
        for key in answered(labels) {
            self.count(key, value, failed);
        }
    }

    fn http_bucket(&mut self, labels: &Labels<'_>, value: f64) {
        for key in answered(labels) {
            self.bucket(labels, key, value);
        }
    }

    fn call(&mut self, labels: &Labels<'_>, value: f64) {
        let code = labels.get("code");
        let failed = matches!(&*code, "internal" | "unavailable" | "deadline_exceeded");
        self.count(edge(labels), value, failed);
    }

    fn count(&mut self, key: Key, value: f64, failed: bool) {
        if let Some(counts) = self.counts(key) {
            counts.total += value;
            counts.errors += if failed { value } else { 0.0 };
        }
    }

    fn bucket(&mut self, labels: &Labels<'_>, key: Key, value: f64) {
        let Ok(bound) = labels.get("le").parse::<f64>() else {
            return;
        };
        if let Some(counts) = self.counts(key).filter(|_| bound >= 0.0) {
            *counts.buckets.entry(bound.to_bits()).or_default() += value;
        }
    }

    fn counts(&mut self, key: Key) -> Option<&mut Counts> {
        if self.flows.len() >= FLOWS_MAX && !self.flows.contains_key(&key) {
            return None;
        }
        Some(self.flows.entry(key).or_default())
    }
}

fn edge(labels: &Labels<'_>) -> Key {
    Key::Edge(
        labels.get("caller").into_owned(),
        labels.get("callee").into_owned(),
    )
}

/// From the service that publishes to the one that the consumer belongs to, such as `stats` of
/// `stats.clicks`; `None` for a service's own events.
fn events(labels: &Labels<'_>) -> Option<(String, String)> {
    let (from, consumer) = (labels.get("producer"), labels.get("consumer"));
    let to = consumer.split('.').next().unwrap_or_default();
    (!from.is_empty() && !to.is_empty() && from != to).then(|| (from.into_owned(), to.to_owned()))
}

/// What an answer over HTTP counts for. The gateway counts them, under the name of the service that
/// answered: each is an answer of that service, a call to it, and an answer of the gateway. Answers
/// of the console are left out, so that watching the system does not look like load.
fn answered(labels: &Labels<'_>) -> Vec<Key> {
    let (service, route) = (labels.get("service"), labels.get("route"));
    let (entry, service) = (ENTRY.to_owned(), service.into_owned());
    let of_service = [
        Key::Route(service.clone(), route.into_owned()),
        Key::Service(service.clone()),
    ];
    match &*service {
        "" | CONSOLE => Vec::new(),
        ENTRY => of_service.into(),
        _ => of_service
            .into_iter()
            .chain([Key::Edge(entry.clone(), service), Key::Service(entry)])
            .collect(),
    }
}

/// Name, text between the braces, value.
fn parts(line: &str) -> Option<(&str, &str, f64)> {
    let (head, labels, rest) = match line.split_once('{') {
        Some((name, rest)) => {
            let (labels, rest) = rest.rsplit_once('}')?;
            (name, labels, rest)
        }
        None => {
            let (name, rest) = line.split_once(' ')?;
            (name, "", rest)
        }
    };
    let value: f64 = rest.split_whitespace().next()?.parse().ok()?;
    Some((head, labels, value)).filter(|_| value.is_finite())
}

/// The text between the braces of a line.
struct Labels<'a>(&'a str);

impl<'a> Labels<'a> {
    /// The value of a label; empty when it is not there.
    fn get(&self, wanted: &str) -> Cow<'a, str> {
        let mut rest = self.0;
        while let Some((name, after)) = rest.split_once("=\"") {
            let end = closing_quote(after);
            let value = &after[..end];
            if name.trim_start_matches(',').trim() == wanted {
                return unescaped(value);
            }
            rest = after.get(end + 1..).unwrap_or("");
        }
        Cow::Borrowed("")
    }
}

fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return at,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            (c, false) => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use telemetry::Metrics;

    use super::*;

    fn http(metrics: &Metrics, route: &str, class: &str, times: u64) {
        let labels = [("service", "links"), ("route", route), ("status", class)];
        metrics
            .counter("http_requests_total", "Answers.", &labels)
            .add(times);
        let labels = [("service", "links"), ("route", route)];
        let histogram = metrics.histogram("http_request_duration_seconds", "Times.", &labels);
        (0..times).for_each(|_| histogram.observe(Duration::from_millis(3)));
    }

    #[test]
    fn what_telemetry_writes_is_read_back() {
        let metrics = Metrics::new();
        http(&metrics, "/{code}", "3xx", 40);
        http(&metrics, "a \"b\" \\ {c},d=\"e\"", "5xx", 10);
        let labels = [
            ("caller", "gateway"),
            ("callee", "links"),
            ("code", "unavailable"),
        ];
        metrics
            .counter("mesh_calls_total", "Calls.", &labels)
            .add(7);
        let ends = [("caller", "gateway"), ("callee", "links")];
        metrics.gauge("mesh_breaker_open", "State.", &ends).set(1);
        let sample = Sample::parse(&metrics.render());

        let links = &sample.flows[&Key::Service("links".to_owned())];
        assert_eq!((links.total, links.errors), (50.0, 10.0));
        assert_eq!(links.buckets[&f64::INFINITY.to_bits()], 50.0);
        let odd = Key::Route("links".to_owned(), "a \"b\" \\ {c},d=\"e\"".to_owned());
        assert_eq!(sample.flows[&odd].total, 10.0);
        let edge = Key::Edge("gateway".to_owned(), "links".to_owned());
        assert_eq!(
            (sample.flows[&edge].total, sample.flows[&edge].errors),
            (57.0, 17.0)
        );
        let gateway = &sample.flows[&Key::Service("gateway".to_owned())];
        assert_eq!((gateway.total, gateway.errors), (50.0, 10.0));
        assert!(sample.breakers[&("gateway".to_owned(), "links".to_owned())]);
        let p50 = links.figures(1.0).p50_ms;
        assert!(p50.is_some_and(|p| (2.0..=3.1).contains(&p)), "{p50:?}");
    }

    #[test]
    fn watching_does_not_look_like_load() {
        let metrics = Metrics::new();
        let labels = [
            ("service", "console"),
            ("route", "/console"),
            ("status", "2xx"),
        ];
        metrics
            .counter("http_requests_total", "Answers.", &labels)
            .add(9);
        assert!(Sample::parse(&metrics.render()).flows.is_empty());
    }

    #[test]
    fn text_that_is_no_metric_is_passed_over() {
        let sample =
            Sample::parse("<html>\nhttp_requests_total{service=\"a\n\u{0} } 7\nx NaN\n\n{");
        assert!(sample.flows.is_empty() && sample.memory_bytes.is_none());
        let endless: String = (0..5_000)
            .map(|n| format!("http_requests_total{{service=\"s{n}\"}} 1\n"))
            .collect();
        assert_eq!(Sample::parse(&endless).flows.len(), FLOWS_MAX);
    }
}
