//! The connection: who uses it, when it is given up, and the task that brings it back.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::try_join_all;
use kernel::Tasks;
use parking_lot::{Mutex, RwLock};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError};
use telemetry::Gauge;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use super::RedisOptions;
use super::pending::Op;
use super::scripts::Scripts;
use super::space::Room;
use crate::memory::Floor;

const BATCH_MAX: usize = 128;

pub(super) struct Link {
    client: redis::Client,
    pub(super) options: RedisOptions,
    pub(super) scripts: Scripts,
    pub(super) reads: Semaphore,
    live: RwLock<Option<Line>>,
    failures: AtomicU32,
    rooms: Mutex<Vec<Weak<Room>>>,
    work: Notify,
    up: Gauge,
}

/// A connection, and the run of the server at its other end: each start of a server is another run.
#[derive(Clone)]
struct Line {
    connection: MultiplexedConnection,
    run: Arc<str>,
}

/// Redis did not do it in time.
struct Failed;

impl Link {
    pub(super) fn new(client: redis::Client, options: RedisOptions, up: Gauge) -> Self {
        Self {
            client,
            options,
            scripts: Scripts::new(),
            reads: Semaphore::new(options.reads_max),
            live: RwLock::new(None),
            failures: AtomicU32::new(0),
            rooms: Mutex::new(Vec::new()),
            work: Notify::new(),
            up,
        }
    }

    /// The connection, while Redis is in use.
    pub(super) fn connection(&self) -> Option<MultiplexedConnection> {
        self.live.read().as_ref().map(|l| l.connection.clone())
    }

    pub(super) fn enter(&self, room: &Arc<Room>) {
        self.rooms.lock().push(Arc::downgrade(room));
        self.wake();
    }

    /// A change waits.
    pub(super) fn wake(&self) {
        self.work.notify_one();
    }

    pub(super) fn succeeded(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn failed(&self) {
        if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= self.options.failures_max {
            self.give_up("look-ups failed or hung");
        }
    }

    fn give_up(&self, why: &str) {
        if self.live.write().take().is_some() {
            self.up.set(0);
            tracing::warn!(
                why,
                "redis is no longer used; working from memory until it is back"
            );
            self.work.notify_one();
        }
    }

    fn use_it(&self, line: Line) {
        self.failures.store(0, Ordering::Relaxed);
        *self.live.write() = Some(line);
        self.up.set(1);
        tracing::info!("redis is in use");
    }

    fn rooms(&self) -> Vec<Arc<Room>> {
        let mut rooms = self.rooms.lock();
        rooms.retain(|room| room.strong_count() > 0);
        rooms.iter().filter_map(Weak::upgrade).collect()
    }

    async fn connect(&self) -> Result<Line, Failed> {
        let limit = self.options.background_timeout;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(limit))
            .set_response_timeout(Some(limit));
        let attempt = async {
            let mut connection = self
                .client
                .get_multiplexed_async_connection_with_config(&config)
                .await?;
            let info = redis::cmd("INFO")
                .arg("server")
                .query_async::<String>(&mut connection)
                .await?;
            let run = info.lines().find_map(|line| line.strip_prefix("run_id:"));
            let run = Arc::from(run.unwrap_or_default().trim());
            Ok::<_, RedisError>(Line { connection, run })
        };
        match timeout(limit * 2, attempt).await {
            Ok(Ok(line)) => Ok(line),
            Ok(Err(error)) => {
                tracing::debug!(%error, "redis does not answer");
                Err(Failed)
            }
            Err(_) => Err(Failed),
        }
    }

    /// Tells Redis everything that waits.
    async fn flush(&self, line: &Line) -> Result<(), Failed> {
        let connection = &line.connection;
        for room in self.rooms() {
            self.vet(line, &room).await?;
            loop {
                let Some(batch) = room.pending.lock().take(BATCH_MAX) else {
                    break;
                };
                let told = async {
                    if batch.all {
                        self.new_epoch(connection.clone(), &room).await?;
                    }
                    let ops = batch.ops.iter();
                    try_join_all(ops.map(|(key, op)| self.tell(connection.clone(), &room, key, op)))
                        .await
                        .map(drop)
                };
                let told = timeout(self.options.background_timeout, told).await;
                let done = matches!(told, Ok(Ok(())));
                room.pending.lock().settle(done);
                if !done {
                    room.meters.redis_errors.inc();
                    return Err(Failed);
                }
            }
        }
        Ok(())
    }

    /// Makes sure that nobody reads what this server has from a disk or from another server.
    async fn vet(&self, line: &Line, room: &Room) -> Result<(), Failed> {
        if room.vetted.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut call = self.scripts.vet.key(&room.epoch_key);
        call.key(&room.run_key).arg(&*line.run);
        let mut connection = line.connection.clone();
        let vetting = call.invoke_async::<u8>(&mut connection);
        let vetted = timeout(self.options.background_timeout, vetting).await;
        let Ok(Ok(begun)) = vetted else {
            room.meters.redis_errors.inc();
            return Err(Failed);
        };
        if begun == 1 {
            tracing::info!(
                epoch = room.epoch_key,
                "redis has another past than its caches; they begin anew"
            );
        }
        room.vetted.store(true, Ordering::Release);
        Ok(())
    }

    async fn new_epoch(
        &self,
        mut connection: MultiplexedConnection,
        room: &Room,
    ) -> Result<(), RedisError> {
        let call = self.scripts.new_epoch.key(&room.epoch_key);
        call.invoke_async(&mut connection).await
    }

    async fn tell(
        &self,
        mut connection: MultiplexedConnection,
        room: &Room,
        key: &str,
        op: &Op,
    ) -> Result<(), RedisError> {
        let script = match op {
            Op::Forget(_) => &self.scripts.forget,
            Op::Put(_) => &self.scripts.put,
            Op::Fill(..) => &self.scripts.fill,
        };
        let mut call = script.key(&room.epoch_key);
        call.key(room.entry_key(key));
        match op {
            Op::Forget(Floor::Nothing) => call.arg(""),
            Op::Forget(Floor::AtLeast(version)) => call.arg(version),
            Op::Put(p) => call.arg(p.version).arg(p.ttl_ms).arg(&p.bytes),
            Op::Fill(token, p) => call
                .arg(&token.epoch)
                .arg(&token.generation)
                .arg(p.version)
                .arg(p.ttl_ms)
                .arg(&p.bytes),
        };
        let taken: i64 = call.invoke_async(&mut connection).await?;
        if taken == 0 {
            room.meters.redis_refused.inc();
        }
        Ok(())
    }

    /// Connects and brings Redis up to date; only then may anyone read.
    async fn establish(&self) -> Result<(), Failed> {
        for room in self.rooms() {
            room.pending.lock().slim();
            room.vetted.store(false, Ordering::Release);
        }
        let line = self.connect().await?;
        self.flush(&line).await?;
        self.use_it(line);
        Ok(())
    }
}

/// Keeps the link up until the tasks end.
pub(super) async fn run(link: Arc<Link>, tasks: Tasks) {
    let mut pause = link.options.reconnect_pause;
    while !tasks.is_stopping() {
        let line = link.live.read().clone();
        match line {
            Some(line) => {
                tokio::select! {
                    () = link.work.notified() => {}
                    () = tasks.stopping() => {}
                }
                if link.connection().is_some() && link.flush(&line).await.is_err() {
                    link.give_up("changes could not be told");
                }
            }
            None if link.establish().await.is_ok() => pause = link.options.reconnect_pause,
            None => {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = tasks.stopping() => {}
                }
                pause = (pause * 2)
                    .min(link.options.reconnect_pause * 10)
                    .max(Duration::from_millis(1));
            }
        }
    }
}
