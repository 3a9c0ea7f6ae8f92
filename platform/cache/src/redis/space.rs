//! One cache's share of Redis.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::timeout;

use super::link::Link;
use super::pending::{Op, Pending, Sealed, Token};
use super::{LOAD_MAX, VALUE_BYTES_MAX};
use crate::Entry;
use crate::memory::Floor;
use crate::metrics::Meters;

/// What the background task knows of a cache.
pub(super) struct Room {
    prefix: String,
    pub(super) epoch_key: String,
    /// Under which run of the server the epoch began.
    pub(super) run_key: String,
    /// Whether the content of this server is known to be of this epoch. Nobody reads before.
    pub(super) vetted: AtomicBool,
    pub(super) pending: Mutex<Pending>,
    pub(super) meters: Meters,
}

impl Room {
    pub(super) fn entry_key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Whether what Redis holds for `key` may be older than what this process knows.
    fn distrusts(&self, key: &str) -> bool {
        !self.vetted.load(Ordering::Acquire) || self.pending.lock().distrusts(key)
    }
}

/// One cache's share of Redis.
pub(crate) struct Space {
    link: Arc<Link>,
    room: Arc<Room>,
    ttl: Duration,
}

/// What Redis answered to a look-up.
pub(crate) enum Found {
    /// The bytes of a value, and how long they may still be served.
    Value(Vec<u8>, Duration, Token),
    /// Nothing; what is loaded now may be filled in with the token.
    Nothing(Token),
    /// It was not asked, or did not answer in time.
    Skipped,
}

impl Found {
    /// The value, when there is one that can be read.
    pub(crate) fn decode<V: Entry>(&self) -> Option<(V, Duration)> {
        match self {
            Self::Value(bytes, left, _) => Some((serde_json::from_slice(bytes).ok()?, *left)),
            _ => None,
        }
    }
}

impl Space {
    pub(super) fn new(link: Arc<Link>, name: &str, ttl: Duration, meters: Meters) -> Self {
        // The braces keep a cache's keys in one slot of a cluster, as its scripts need.
        let room = Arc::new(Room {
            prefix: format!("tradewind:{{{name}}}:"),
            epoch_key: format!("tradewind-epoch:{{{name}}}"),
            run_key: format!("tradewind-run:{{{name}}}"),
            vetted: AtomicBool::new(false),
            pending: Mutex::default(),
            meters,
        });
        link.enter(&room);
        Self { link, room, ttl }
    }

    /// Looks `key` up, within the time that a look-up may take.
    pub(crate) async fn read(&self, key: &str) -> Found {
        let connection = self.link.connection();
        let (Some(mut connection), Ok(_permit), false) = (
            connection,
            self.link.reads.try_acquire(),
            self.room.distrusts(key),
        ) else {
            self.room.meters.redis_skipped.inc();
            return Found::Skipped;
        };
        let mut call = self.link.scripts.read.key(&self.room.epoch_key);
        call.key(self.room.entry_key(key));
        let asked = call.invoke_async::<(String, String, u64, Option<Vec<u8>>)>(&mut connection);
        match timeout(self.link.options.read_timeout, asked).await {
            Ok(Ok((epoch, generation, left_ms, bytes))) => {
                self.link.succeeded();
                let token = Token { epoch, generation };
                // A change may have become known while Redis was asked.
                if self.room.distrusts(key) {
                    return Found::Skipped;
                }
                match bytes {
                    Some(bytes) => Found::Value(bytes, Duration::from_millis(left_ms), token),
                    None => Found::Nothing(token),
                }
            }
            _ => {
                self.room.meters.redis_errors.inc();
                self.link.failed();
                Found::Skipped
            }
        }
    }

    /// Offers a loaded value to Redis, on the condition that nothing changed since `found`.
    pub(crate) fn fill<V: Entry>(&self, key: &str, value: &V, found: &Found, took: Duration) {
        let (Found::Nothing(token) | Found::Value(_, _, token)) = found else {
            return;
        };
        if took > LOAD_MAX {
            return;
        }
        if let Some(sealed) = self.seal(value) {
            self.add(key, Op::Fill(token.clone(), sealed));
        }
    }

    /// Tells Redis a new value.
    pub(crate) fn put<V: Entry>(&self, key: &str, value: &V) {
        let op = match self.seal(value) {
            Some(sealed) if self.link.connection().is_some() => Op::Put(sealed),
            _ => Op::Forget(Floor::since(value.version())),
        };
        self.add(key, op);
    }

    /// Tells Redis that `key` changed.
    pub(crate) fn forget(&self, key: &str, floor: Floor) {
        self.add(key, Op::Forget(floor));
    }

    /// Tells Redis that everything changed.
    pub(crate) fn forget_all(&self) {
        self.room.pending.lock().forget_all();
        self.link.wake();
    }

    fn add(&self, key: &str, op: Op) {
        self.room.pending.lock().add(Arc::from(key), op);
        self.link.wake();
    }

    fn seal<V: Entry>(&self, value: &V) -> Option<Sealed> {
        let bytes = serde_json::to_vec(value).ok()?;
        if bytes.len() > VALUE_BYTES_MAX {
            return None;
        }
        let ttl = value.ttl_max().map_or(self.ttl, |max| max.min(self.ttl));
        let ttl_ms = u64::try_from(ttl.as_millis())
            .unwrap_or(u64::MAX)
            .min(30 * 86_400_000);
        (ttl_ms > 0).then_some(Sealed {
            version: value.version(),
            ttl_ms,
            bytes,
        })
    }
}
