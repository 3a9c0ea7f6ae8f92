//! A run from its plan to its report, on the calling thread.

use std::collections::HashMap;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::{Clock, Tasks};
use tokio::task::JoinSet;

use crate::connection::Link;
use crate::cost::{self, Usage};
use crate::dispatch::Dispatcher;
use crate::handle::{Handle, Shared};
use crate::lane::{Lane, Pool, Template};
use crate::plan::{Plan, PlanError, Protocol};
use crate::report::{Frame, Report};

/// The most hosts of one run.
const HOSTS_MAX: usize = 256;
/// How often is looked whether all is answered, after the schedule's end.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// How long is waited for what is in flight when a run is ended early, and beyond the timeout else.
const GRACE: Duration = Duration::from_secs(1);

/// A run that can be started.
pub struct Run {
    plan: Plan,
    clock: Arc<dyn Clock>,
    handle: Handle,
}

/// Why a run could not be done.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Nobody is there. The text says where and why.
    #[error("{address} does not answer: {why}")]
    NoAnswer {
        /// Host and port.
        address: String,
        /// What happened.
        why: String,
    },
    /// The system does not allow so many connections.
    #[error(
        "{wanted} connections need more open files than this user may have; ask for at most {possible}, or raise 'ulimit -n'"
    )]
    Files {
        /// What was asked for.
        wanted: usize,
        /// What is possible.
        possible: u64,
    },
    /// The targets name too many hosts.
    #[error("the targets name {0} hosts, at most {HOSTS_MAX} can be loaded at once")]
    Hosts(usize),
    /// The system refused something that a run needs.
    #[error("the load cannot be run")]
    Io(#[from] io::Error),
}

impl Run {
    /// A run of `plan`; `clock` tells when it starts.
    pub fn new(plan: Plan, clock: Arc<dyn Clock>) -> Result<Self, PlanError> {
        plan.check()?;
        let handle = Handle(Arc::new(Shared::new(plan.deadline)));
        Ok(Self {
            plan,
            clock,
            handle,
        })
    }

    /// To watch and steer it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs to the end, or until `ended` resolves, on this thread, whose CPU time is told.
    pub fn to_end(self, ended: impl Future<Output = ()>) -> Result<Report, RunError> {
        let wanted = self.plan.connections;
        let possible = cost::room_for_files(wanted as u64);
        if possible < wanted as u64 {
            return Err(RunError::Files { wanted, possible });
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let report = runtime.block_on(self.work(ended));
        // A name that is still being looked up holds a thread, and nobody waits for it.
        runtime.shutdown_background();
        report
    }

    async fn work(self, ended: impl Future<Output = ()>) -> Result<Report, RunError> {
        let Self {
            plan,
            clock,
            handle: Handle(shared),
        } = self;
        let stopped = async {
            tokio::select! {
                () = ended => {}
                () = shared.stop.cancelled() => {}
            }
        };
        let mut stopped = pin!(stopped);
        let (pools, pool_of) = pools(&plan)?;
        let links = links(&plan, &pools);
        let mut ended_early = tokio::select! {
            opened = open(&shared, &links) => opened.map(|()| false)?,
            () = &mut stopped => true,
        };
        let mut dispatcher = Dispatcher::new(&plan, Arc::clone(&shared), pools.clone(), pool_of)?;
        let (started_at, before) = (clock.now().micros(), Usage::of_this_thread());
        shared.begin();
        let mut working = start(&plan, &shared, &links);
        let mut schedule = None;
        if !ended_early {
            tokio::select! {
                done = dispatcher.run() => schedule = Some(done?),
                () = &mut stopped => ended_early = true,
            }
        }
        let schedule = schedule.unwrap_or(Duration::from_nanos(shared.now()));
        if !ended_early {
            tokio::select! {
                () = settle(&shared, plan.timeout + GRACE) => {}
                () = &mut stopped => ended_early = true,
            }
        }
        if ended_early {
            give_up(&shared, &pools);
            settle(&shared, GRACE.min(plan.timeout)).await;
        }
        working.shutdown().await;
        give_up(&shared, &pools);
        let usage = Usage::of_this_thread().since(before);
        let frame = Frame {
            started_at,
            schedule,
            ended_early,
            usage,
        };
        let mut recorder = shared.recorder.lock();
        recorder.roll(shared.now());
        Ok(Report::of(&plan, &recorder, frame))
    }
}

/// A pool for each host, and for each target which pool is its own.
fn pools(plan: &Plan) -> Result<(Vec<Arc<Pool>>, Vec<u16>), RunError> {
    let mut known: HashMap<&str, u16> = HashMap::new();
    let mut pools = Vec::new();
    let mut pool_of = Vec::with_capacity(plan.targets.len());
    for target in &plan.targets {
        let authority = target.authority().as_str();
        let index = *known.entry(authority).or_insert_with(|| {
            pools.push(Arc::new(Pool::new(plan, authority, target.address())));
            u16::try_from(pools.len() - 1).unwrap_or(u16::MAX)
        });
        pool_of.push(index);
        if pools.len() > HOSTS_MAX {
            return Err(RunError::Hosts(pools.len()));
        }
    }
    Ok((pools, pool_of))
}

/// The connections, shared out among the pools.
fn links(plan: &Plan, pools: &[Arc<Pool>]) -> Vec<(Arc<Pool>, Arc<Link>)> {
    let tasks = Tasks::new();
    let each = plan.connections.div_ceil(pools.len().max(1));
    let all = pools
        .iter()
        .flat_map(|pool| std::iter::repeat_n(pool, each));
    all.map(|pool| {
        let link = Link::new(pool.address.clone(), plan.protocol, tasks.clone());
        (Arc::clone(pool), Arc::new(link))
    })
    .collect()
}

/// Opens every connection at once. It is enough when each host takes one: the others are opened
/// when they are needed.
async fn open(shared: &Arc<Shared>, links: &[(Arc<Pool>, Arc<Link>)]) -> Result<(), RunError> {
    let mut opening = JoinSet::new();
    for (pool, link) in links {
        let (pool, link) = (Arc::clone(pool), Arc::clone(link));
        opening.spawn(async move { (pool, link.open_ahead().await) });
    }
    // For each host why it cannot be reached, or that it can.
    let mut hosts: HashMap<String, Option<String>> = HashMap::new();
    while let Some(done) = opening.join_next().await {
        let (pool, opened) = done.map_err(io::Error::other)?;
        let host = hosts
            .entry(pool.address.clone())
            .or_insert(Some(String::new()));
        match (opened, host) {
            (Ok(()), host) => {
                *host = None;
                shared.recorder.lock().counts.opened += 1;
            }
            (Err(failed), Some(why)) => *why = failed.why,
            (Err(_), None) => {}
        }
    }
    match hosts
        .into_iter()
        .find_map(|(address, why)| Some((address, why?)))
    {
        Some((address, why)) => Err(RunError::NoAnswer { address, why }),
        None => Ok(()),
    }
}

/// Sets as many lanes to work as requests can be under way at once, those of different
/// connections beside each other.
fn start(plan: &Plan, shared: &Arc<Shared>, links: &[(Arc<Pool>, Arc<Link>)]) -> JoinSet<()> {
    let template = Arc::new(Template::of(plan));
    let streams = match plan.protocol {
        Protocol::Http1 => 1,
        Protocol::Http2 => plan.streams,
    };
    let mut working = JoinSet::new();
    for (pool, link) in (0..streams).flat_map(|_| links) {
        let lane = Lane {
            shared: Arc::clone(shared),
            pool: Arc::clone(pool),
            template: Arc::clone(&template),
            link: Arc::clone(link),
        };
        working.spawn(lane.run());
    }
    working
}

/// Waits until all that was due has an end, but not longer than `within`.
async fn settle(shared: &Shared, within: Duration) {
    let end = Instant::now() + within;
    let pending = || {
        let counts = shared.recorder.lock().counts;
        counts.waiting() + counts.in_flight() > 0
    };
    while pending() && Instant::now() < end {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Counts what still waits as not sent.
fn give_up(shared: &Shared, pools: &[Arc<Pool>]) {
    let mut recorder = shared.recorder.lock();
    let now = shared.now();
    for shot in pools.iter().flat_map(|pool| pool.queue.drain()) {
        recorder.left(now, shot);
    }
}
