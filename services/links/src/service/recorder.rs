//! Clicks on their way from the redirect to the store: a bounded buffer in memory, written in
//! groups.
//!
//! Taking a click costs a short lock of one shard. A group is one row in the service's own
//! database; a group whose commit fails or is cut off is written again under the same number, which
//! the store takes once. What is lost when the power fails is what was not committed: one group
//! with `grouped`, nothing with `durable`. At an orderly end everything is committed.

mod group;
mod repeats;
mod salts;
mod shard;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kernel::Ctx;
use storage::{Db, Tx};
use telemetry::Metrics;
use tokio::sync::{Mutex, Notify};

use self::repeats::Repeats;
use self::salts::Salts;
pub(crate) use self::shard::Visit;
use self::shard::{Drained, Shards};
use super::meters::ClickMeters;
use crate::store::clicks::{self, Group};

/// The buffer is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Takes clicks and commits them.
pub(crate) struct Recorder {
    db: Db,
    writer: String,
    shards: Shards,
    /// A committer is on its way, so nobody needs to wake it.
    awake: AtomicBool,
    wake: Notify,
    room: Notify,
    /// How often the buffer was emptied, and the last time whose clicks are committed.
    drains: AtomicU64,
    committed: AtomicU64,
    state: Mutex<State>,
    /// Visits that another replica was asked before.
    pub(crate) repeats: Repeats,
    pub(crate) meters: ClickMeters,
}

/// What was taken out of the buffer and is not committed yet. It survives a committer that is cut
/// off in the middle of its work.
#[derive(Default)]
struct State {
    drained: Vec<Drained>,
    groups: Vec<Group>,
    seq: i64,
    /// The drain that `drained` and `groups` belong to.
    drain: u64,
    salts: Salts,
}

impl Recorder {
    /// A recorder for `buffer_max` clicks. Does no I/O.
    pub(crate) fn new(db: Db, ctx: &Ctx, metrics: &Metrics, buffer_max: usize) -> Self {
        let meters = ClickMeters::new(metrics);
        Self {
            repeats: Repeats::new(db.clone(), &meters),
            db,
            writer: ctx.new_id().to_string(),
            shards: Shards::new(buffer_max),
            awake: AtomicBool::new(false),
            wake: Notify::new(),
            room: Notify::new(),
            drains: AtomicU64::new(0),
            committed: AtomicU64::new(0),
            state: Mutex::default(),
            meters,
        }
    }

    /// Takes a visit. Never waits.
    pub(crate) fn record(&self, visit: &Visit<'_>) -> Result<(), Full> {
        self.shards.push(visit)?;
        self.meters.recorded.inc();
        if !self.awake.load(Ordering::Relaxed) && !self.awake.swap(true, Ordering::AcqRel) {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Takes a visit; waits for room if there is none, but not longer than `at_most`.
    pub(crate) async fn record_patiently(
        &self,
        visit: &Visit<'_>,
        at_most: Duration,
    ) -> Result<(), Full> {
        if self.record(visit).is_ok() {
            return Ok(());
        }
        self.meters.held.inc();
        let end = Instant::now() + at_most;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let room = self.room.notified();
            if self.record(visit).is_ok() {
                return Ok(());
            }
            if tokio::time::timeout(left, room).await.is_err() {
                return self.record(visit);
            }
        }
    }

    /// Waits until there is something to commit. Cancellation-safe.
    pub(crate) async fn some(&self) {
        self.wake.notified().await;
    }

    /// Commits everything that was taken until now.
    pub(crate) async fn flush(&self) -> Result<(), storage::Error> {
        // What is in the buffer now leaves it with a drain that begins after this line.
        let target = self.drains.load(Ordering::SeqCst) + 1;
        let mut state = self.state.lock().await;
        while self.committed.load(Ordering::SeqCst) < target {
            self.commit(&mut state).await?;
        }
        Ok(())
    }

    /// Commits what an earlier attempt has left, or else what is in the buffer.
    async fn commit(&self, state: &mut State) -> Result<(), storage::Error> {
        if state.groups.is_empty() {
            if state.drained.is_empty() {
                self.awake.store(false, Ordering::SeqCst);
                state.drain = self.drains.fetch_add(1, Ordering::SeqCst) + 1;
                state.drained = self.shards.drain();
                self.room.notify_waiters();
            }
            state.salts.fetch(&self.db, &state.drained).await?;
            state.groups = group::encode(&state.drained, &mut state.salts);
            state.drained.clear();
            state.seq += 1;
        }
        if !state.groups.is_empty() {
            self.write(state).await?;
        }
        state.groups.clear();
        self.committed.store(state.drain, Ordering::SeqCst);
        Ok(())
    }

    async fn write(&self, state: &State) -> Result<(), storage::Error> {
        let began = Instant::now();
        let clicks: u64 = state.groups.iter().map(|g| u64::from(g.clicks)).sum();
        self.meters
            .waiting
            .set(i64::try_from(clicks).unwrap_or(i64::MAX));
        let (writer, seq, groups) = (self.writer.clone(), state.seq, state.groups.clone());
        let add = async move |tx: &mut Tx<'_>| clicks::add(tx, &writer, seq, &groups).await;
        let done = self.db.write::<_, storage::Error, _>(add).await;
        if done.is_err() {
            self.meters.failures.inc();
            return done;
        }
        self.meters.waiting.set(0);
        self.meters.committed.add(clicks);
        self.meters.group_clicks.record(clicks);
        self.meters.commit_seconds.observe(began.elapsed());
        Ok(())
    }
}

/// A hasher for keys that are hashes already.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct AsIs(u64);

impl std::hash::Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 << 8) | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

/// A map whose keys are hashes already.
pub(crate) type ByHash<V> = HashMap<u64, V, std::hash::BuildHasherDefault<AsIs>>;
