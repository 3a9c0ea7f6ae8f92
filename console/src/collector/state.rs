//! What is known of the system: the last samples, a short window for figures, ten minutes of
//! history, and what happened. No I/O.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use kernel::Timestamp;

use super::Answer;
use super::window::{Grown, Window};
use crate::cluster::{About, Replica, ReplicaState};
use crate::flow::{Figures, Flows, Key, growth};
use crate::health::{Condition, Health, Standing, judge};
use crate::history::{Columns, History};
use crate::marks::{Mark, Marks};
use crate::scrape::Sample;
use crate::view::{EdgeKind, EdgeView, ReplicaView, ServiceView, Snapshot};

/// Figures are those of the last so many polls.
const WINDOW_POLLS: usize = 5;
/// What happened so many seconds before a change may be its cause.
const CAUSE_WITHIN_S: i64 = 15;

#[derive(Debug)]
struct Known {
    sample: Sample,
    pid: Option<u32>,
}

/// What has a level and not a rate, over all processes.
#[derive(Debug, Default)]
struct Levels {
    breakers: BTreeMap<(String, String), bool>,
    lag: BTreeMap<(String, String), f64>,
}

impl Levels {
    /// A breaker is open when one process holds calls back; of several counts of what waits, the
    /// largest is the newest.
    fn take(&mut self, sample: &Sample) {
        for (ends, open) in &sample.breakers {
            *self.breakers.entry(ends.clone()).or_default() |= open;
        }
        for (ends, waiting) in &sample.lag {
            let most = self.lag.entry(ends.clone()).or_default();
            *most = most.max(*waiting);
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    known: BTreeMap<String, Known>,
    polled: Option<Instant>,
    window: VecDeque<Grown>,
    history: History,
    marks: Marks,
    conditions: BTreeMap<String, (Condition, Option<Mark>)>,
}

impl State {
    pub(super) fn history(&self) -> Columns {
        self.history.columns()
    }

    pub(super) fn marks(&self, after: u64) -> Vec<Mark> {
        self.marks.since(after)
    }

    /// Samples from before a rest would give the mean of the whole rest.
    pub(super) fn forget_samples(&mut self) {
        self.known.clear();
        self.window.clear();
        self.polled = None;
    }

    /// After which event to ask this process for more; all of them when it is another one.
    pub(super) fn cursor(&mut self, replica: &Replica) -> u64 {
        self.known
            .retain(|id, known| *id != replica.id || known.pid == replica.pid);
        self.marks.cursor(&replica.id, replica.pid)
    }

    /// Takes in what the processes answered, and says how the system is.
    pub(super) fn take(&mut self, at: Timestamp, about: About, answers: Vec<Answer>) -> Snapshot {
        let seconds = self.polled.map(|t| t.elapsed().as_secs_f64());
        self.polled = Some(Instant::now());
        let mut flows = Flows::new();
        let mut replicas = Vec::with_capacity(answers.len());
        let mut levels = Levels::default();
        for Answer {
            mut replica,
            sample,
            events,
        } in answers
        {
            self.marks.add(&replica.id, events);
            if sample.is_none() && replica.state == ReplicaState::Up {
                replica.state = ReplicaState::Down;
            }
            if let Some(sample) = &sample {
                levels.take(sample);
            }
            let view = self.replica(replica, sample, seconds, &mut flows);
            replicas.push(view);
        }
        let names: BTreeSet<String> = replicas.iter().map(|r| r.replica.id.clone()).collect();
        self.known.retain(|id, _| names.contains(id));
        if let Some(seconds) = seconds {
            self.window.push_back(Grown { seconds, flows });
            while self.window.len() > WINDOW_POLLS {
                self.window.pop_front();
            }
        }
        self.snapshot(at, about, replicas, &levels)
    }

    fn replica(
        &mut self,
        replica: Replica,
        sample: Option<Sample>,
        seconds: Option<f64>,
        flows: &mut Flows,
    ) -> ReplicaView {
        let Some(sample) = sample else {
            self.known.remove(&replica.id);
            return ReplicaView {
                replica,
                memory_bytes: None,
                cpu: None,
            };
        };
        let mut cpu = None;
        if let (Some(before), Some(seconds)) = (self.known.get(&replica.id), seconds) {
            for (key, grown) in growth(&sample.flows, &before.sample.flows) {
                flows.entry(key).or_default().add(&grown);
            }
            cpu = sample
                .cpu_seconds
                .zip(before.sample.cpu_seconds)
                .map(|(now, then)| {
                    ((now - then).max(0.0) / seconds.max(0.001) * 1_000.0).round() / 1_000.0
                });
        }
        let memory_bytes = sample.memory_bytes;
        let known = Known {
            sample,
            pid: replica.pid,
        };
        self.known.insert(replica.id.clone(), known);
        ReplicaView {
            replica,
            memory_bytes,
            cpu,
        }
    }

    fn snapshot(
        &mut self,
        at: Timestamp,
        about: About,
        replicas: Vec<ReplicaView>,
        levels: &Levels,
    ) -> Snapshot {
        let window = Window::over(&self.window);
        let second = Window::over(self.window.range(self.window.len().saturating_sub(1)..));
        let names = service_names(&replicas, &window.flows);
        let services: Vec<ServiceView> = names
            .iter()
            .map(|name| self.service(name, at, &replicas, &window))
            .collect();
        let edges = self.edges(at, &window, levels);
        let totals = window.total(&names);
        let mut points: BTreeMap<String, Figures> = names
            .iter()
            .map(|name| (format!("service:{name}"), second.service(name)))
            .chain(edges.iter().map(|e| (edge_key(e), second.of(&key_of(e)))))
            .collect();
        points.insert("total".to_owned(), second.total(&names));
        if !self.window.is_empty() {
            self.history.push(at, points.clone());
        }
        let second = points.into_iter().collect();
        Snapshot {
            at,
            about,
            totals,
            services,
            edges,
            replicas,
            second,
            marks: Vec::new(),
        }
    }

    fn service(
        &mut self,
        name: &str,
        at: Timestamp,
        replicas: &[ReplicaView],
        window: &Window,
    ) -> ServiceView {
        let mine = replicas
            .iter()
            .filter(|r| r.replica.services.iter().any(|s| s == name));
        let (mut up, mut all) = (0, 0);
        for replica in mine {
            all += 1;
            up += usize::from(replica.replica.state == ReplicaState::Up);
        }
        let figures = window.service(name);
        let verdict = judge(&figures, Some(Standing { up, all }));
        let (condition, before) = self.condition(format!("service:{name}"), at, verdict);
        let routes = window.routes(name);
        let name = name.to_owned();
        ServiceView {
            name,
            up,
            replicas: all,
            figures,
            condition,
            before,
            routes,
        }
    }

    fn edges(&mut self, at: Timestamp, window: &Window, levels: &Levels) -> Vec<EdgeView> {
        let mut edges = Vec::new();
        for key in window.flows.keys() {
            let (from, to, kind) = match key {
                Key::Edge(from, to) => (from.clone(), to.clone(), EdgeKind::Call),
                Key::Events(from, to) => (from.clone(), to.clone(), EdgeKind::Event),
                Key::Service(_) | Key::Route(..) => continue,
            };
            let figures = window.of(key);
            let (condition, _) =
                self.condition(edge_name(kind, &from, &to), at, judge(&figures, None));
            let ends = (from.clone(), to.clone());
            let breaker = levels.breakers.get(&ends);
            let breaker = breaker.map(|open| if *open { "open" } else { "closed" });
            let waiting = levels
                .lag
                .get(&ends)
                .filter(|_| kind == EdgeKind::Event)
                .copied();
            edges.push(EdgeView {
                from,
                to,
                kind,
                figures,
                condition,
                breaker,
                waiting,
            });
        }
        edges
    }

    /// Remembers since when something is in its state, and what came just before.
    fn condition(
        &mut self,
        key: String,
        at: Timestamp,
        (health, why): (Health, Option<String>),
    ) -> (Condition, Option<Mark>) {
        let known = self
            .conditions
            .get(&key)
            .filter(|(c, _)| c.health == health);
        let (since, before) = match known {
            Some((condition, before)) => (condition.since, before.clone()),
            None => (at, self.cause(health, at)),
        };
        let condition = Condition { health, since, why };
        self.conditions
            .insert(key, (condition.clone(), before.clone()));
        (condition, before)
    }

    fn cause(&self, health: Health, at: Timestamp) -> Option<Mark> {
        (health >= Health::Strained).then(|| self.marks.cause(at, CAUSE_WITHIN_S).cloned())?
    }
}

/// Every service that runs or answers.
fn service_names(replicas: &[ReplicaView], flows: &Flows) -> BTreeSet<String> {
    let running = replicas
        .iter()
        .flat_map(|r| r.replica.services.iter().cloned());
    let answering = flows.keys().filter_map(|key| match key {
        Key::Service(name) => Some(name.clone()),
        _ => None,
    });
    running.chain(answering).collect()
}

fn key_of(edge: &EdgeView) -> Key {
    match edge.kind {
        EdgeKind::Call => Key::Edge(edge.from.clone(), edge.to.clone()),
        EdgeKind::Event => Key::Events(edge.from.clone(), edge.to.clone()),
    }
}

fn edge_key(edge: &EdgeView) -> String {
    edge_name(edge.kind, &edge.from, &edge.to)
}

fn edge_name(kind: EdgeKind, from: &str, to: &str) -> String {
    match kind {
        EdgeKind::Call => format!("call:{from}>{to}"),
        EdgeKind::Event => format!("event:{from}>{to}"),
    }
}
