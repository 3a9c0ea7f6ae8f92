//! Asks every process for its figures, once a second, while somebody watches; rests otherwise.

mod state;
mod window;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use parking_lot::Mutex;
use telemetry::Event;
use tokio::sync::watch;

use crate::cluster::{Cluster, Replica, ReplicaState};
use crate::history::Columns;
use crate::marks::Mark;
use crate::scrape::Sample;
use crate::view::Snapshot;
use crate::{Config, Deps};
use state::State;

/// A rate needs two samples: the second comes soon, so that the page has figures at once.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A process that takes longer to answer is passed over this time.
const ANSWER_TIME_MAX: Duration = Duration::from_millis(900);
const METRICS_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What one process answered.
pub(crate) struct Answer {
    pub(crate) replica: Replica,
    pub(crate) sample: Option<Sample>,
    pub(crate) events: Vec<Event>,
}

pub(crate) struct Collector {
    config: Config,
    deps: Deps,
    state: Mutex<State>,
    latest: watch::Sender<Option<Arc<Snapshot>>>,
    running: AtomicBool,
    watchers: AtomicUsize,
    asked: Mutex<Instant>,
}

/// Somebody watches for as long as this lives.
pub(crate) struct Watcher {
    collector: Arc<Collector>,
    pub(crate) snapshots: watch::Receiver<Option<Arc<Snapshot>>>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        *self.collector.asked.lock() = Instant::now();
        self.collector.watchers.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Collector {
    pub(crate) fn new(config: Config, deps: Deps) -> Arc<Self> {
        Arc::new(Self {
            config,
            deps,
            state: Mutex::default(),
            latest: watch::Sender::new(None),
            running: AtomicBool::new(false),
            watchers: AtomicUsize::new(0),
            asked: Mutex::new(Instant::now()),
        })
    }

    pub(crate) fn cluster(&self) -> &dyn Cluster {
        &*self.deps.cluster
    }

    pub(crate) fn deps(&self) -> &Deps {
        &self.deps
    }

    /// How many watch now.
    pub(crate) fn watchers(&self) -> usize {
        self.watchers.load(Ordering::SeqCst)
    }

    /// Begins to watch, and to collect if nobody watched before.
    pub(crate) fn watch(self: &Arc<Self>) -> Watcher {
        self.watchers.fetch_add(1, Ordering::SeqCst);
        *self.asked.lock() = Instant::now();
        let watcher = Watcher {
            collector: Arc::clone(self),
            snapshots: self.latest.subscribe(),
        };
        if !self.running.swap(true, Ordering::SeqCst) {
            // What was seen before the rest is old: a new watcher waits for what is true now.
            self.latest.send_replace(None);
            let collector = Arc::clone(self);
            self.deps.tasks.spawn(async move { collector.run().await });
        }
        watcher
    }

    /// Figures of the last minutes, and every mark that is kept.
    pub(crate) fn past(&self) -> (Columns, Vec<Mark>) {
        let state = self.state.lock();
        (state.history(), state.marks(0))
    }

    /// Marks with an id above `after`.
    pub(crate) fn marks(&self, after: u64) -> Vec<Mark> {
        self.state.lock().marks(after)
    }

    async fn run(self: Arc<Self>) {
        self.state.lock().forget_samples();
        let mut pause = FIRST_PAUSE;
        let mut first = true;
        loop {
            self.poll(first).await;
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.deps.leaving.told() => return,
                () = self.deps.tasks.stopping() => return,
            }
            if !first {
                pause = self.config.interval;
            }
            first = false;
            let quiet = self.asked.lock().elapsed() > self.config.linger;
            if quiet && self.watchers() == 0 {
                self.running.store(false, Ordering::SeqCst);
                // Somebody may have come between the look and the store.
                if self.watchers() == 0 || self.running.swap(true, Ordering::SeqCst) {
                    return;
                }
            }
        }
    }

    async fn poll(&self, first: bool) {
        let replicas = self.deps.cluster.replicas().await;
        let answers = join_all(replicas.into_iter().map(|replica| self.ask(replica))).await;
        let about = self.deps.cluster.about();
        let now = self.deps.ctx.now();
        let snapshot = self.state.lock().take(now, about, answers);
        if !first {
            self.latest.send_replace(Some(Arc::new(snapshot)));
        }
    }

    async fn ask(&self, replica: Replica) -> Answer {
        if matches!(replica.state, ReplicaState::Down | ReplicaState::Restarting) {
            return Answer {
                replica,
                sample: None,
                events: Vec::new(),
            };
        }
        let after = self.state.lock().cursor(&replica);
        let timeline = format!("/admin/timeline?after={after}");
        let both = futures_util::future::join(
            self.deps.cluster.get(&replica.id, "/metrics"),
            self.deps.cluster.get(&replica.id, &timeline),
        );
        let Ok((metrics, events)) = tokio::time::timeout(ANSWER_TIME_MAX, both).await else {
            return Answer {
                replica,
                sample: None,
                events: Vec::new(),
            };
        };
        let sample = metrics
            .ok()
            .filter(|text| text.len() <= METRICS_BYTES_MAX)
            .map(|text| Sample::parse(&String::from_utf8_lossy(&text)));
        let events = events
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok());
        Answer {
            replica,
            sample,
            events: events.unwrap_or_default(),
        }
    }
}
