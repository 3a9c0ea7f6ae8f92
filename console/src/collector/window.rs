//! What flowed over the last polls, summed up.

use std::collections::BTreeSet;

use crate::flow::{Counts, Figures, Flows, Key};
use crate::scrape::ENTRY;
use crate::view::RouteView;

const ROUTES_MAX: usize = 20;

/// Growth between two polls.
#[derive(Debug)]
pub(super) struct Grown {
    pub(super) seconds: f64,
    pub(super) flows: Flows,
}

/// Growth over one or more polls.
pub(super) struct Window {
    seconds: f64,
    pub(super) flows: Flows,
}

impl Window {
    pub(super) fn over<'a>(polls: impl IntoIterator<Item = &'a Grown>) -> Self {
        let mut window = Self {
            seconds: 0.0,
            flows: Flows::new(),
        };
        for grown in polls {
            window.seconds += grown.seconds;
            for (key, counts) in &grown.flows {
                window.flows.entry(key.clone()).or_default().add(counts);
            }
        }
        window
    }

    pub(super) fn of(&self, key: &Key) -> Figures {
        self.flows
            .get(key)
            .map(|c| c.figures(self.seconds))
            .unwrap_or_default()
    }

    /// Its answers and what others called; for one that only takes events, those.
    pub(super) fn service(&self, name: &str) -> Figures {
        self.service_counts(name).figures(self.seconds)
    }

    fn service_counts(&self, name: &str) -> Counts {
        let own = self.flows.get(&Key::Service(name.to_owned()));
        let mut counts = own.cloned().unwrap_or_default();
        // What comes over the gateway is among its own answers.
        for (key, called) in &self.flows {
            let inside = own.is_none() || !matches!(key, Key::Edge(from, _) if from == ENTRY);
            if inside && matches!(key, Key::Edge(from, to) if to == name && from != name) {
                counts.add(called);
            }
        }
        if counts.total == 0.0 {
            for (key, events) in &self.flows {
                if matches!(key, Key::Events(_, to) if to == name) {
                    counts.add(events);
                }
            }
        }
        counts
    }

    pub(super) fn routes(&self, name: &str) -> Vec<RouteView> {
        let mut routes: Vec<RouteView> = self
            .flows
            .iter()
            .filter_map(|(key, counts)| match key {
                Key::Route(service, route) if service == name => Some(RouteView {
                    route: route.clone(),
                    figures: counts.figures(self.seconds),
                }),
                _ => None,
            })
            .collect();
        routes.sort_by(|a, b| b.figures.rate.total_cmp(&a.figures.rate));
        routes.truncate(ROUTES_MAX);
        routes
    }

    /// What enters the system: what the gateway answers; without one, what all services answer.
    pub(super) fn total(&self, names: &BTreeSet<String>) -> Figures {
        if self.flows.contains_key(&Key::Service(ENTRY.to_owned())) {
            return self.service(ENTRY);
        }
        let mut all = Counts::default();
        names
            .iter()
            .for_each(|name| all.add(&self.service_counts(name)));
        all.figures(self.seconds)
    }
}
