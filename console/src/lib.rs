//! The web page: what runs, how it fares, and the design to switch.
//!
//! The page is plain ES modules, embedded in the program; there is no build step. Every screen has
//! a JSON twin below `/console/api`. Figures are collected only while somebody watches.

mod cluster;
mod collector;
mod flow;
mod health;
mod history;
mod http;
mod marks;
mod page;
mod runs;
mod scrape;
mod view;

use std::sync::Arc;
use std::time::Duration;

use kernel::{Ctx, Tasks};

pub use cluster::{About, Cluster, ClusterError, FaultAt, KnobView, Replica, ReplicaState};
pub use runs::{NoRuns, RunLine, Runs, RunsError, is_name};

/// How the console works.
#[derive(Debug, Clone)]
pub struct Config {
    /// How often figures are collected while somebody watches.
    pub interval: Duration,
    /// How long collecting goes on after the last watcher left.
    pub linger: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            linger: Duration::from_secs(30),
        }
    }
}

/// What the console can touch.
pub struct Deps {
    /// The running system.
    pub cluster: Arc<dyn Cluster>,
    /// Runs of experiments that were kept.
    pub runs: Arc<dyn Runs>,
    /// The time.
    pub ctx: Ctx,
    /// Where its work runs.
    pub tasks: Tasks,
    /// What ends the streams to pages.
    pub leaving: web::Leaving,
}

/// What the console is made of.
pub struct Parts {
    /// Where it is mounted.
    pub routes: Vec<web::RouteSpec>,
    /// What answers.
    pub handler: Arc<dyn web::Handler>,
}

/// Puts the console together. Does no I/O.
#[must_use]
pub fn build(config: Config, deps: Deps) -> Parts {
    let collector = collector::Collector::new(config, deps);
    let handler = web::from_router(http::router(collector));
    Parts {
        routes: vec![web::RouteSpec::any_host("/console", "console")],
        handler,
    }
}
