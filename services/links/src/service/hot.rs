//! The routes that are asked for again and again, in a table that is only read on the click path.
//!
//! The cache behind it keeps books on every look-up, to know what to drop; with 100,000 links in
//! turn that was 40 % of a redirect. Here a look-up moves nothing: it hashes the key, reads one slot
//! under a shared lock and compares the key. What is dropped is decided by throwing a shard away
//! when it is full; the cache behind still has it.

use std::collections::hash_map::Entry;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use super::compiled::Compiled;
use super::recorder::ByHash;

const SHARDS: usize = 32;

/// A route, and until when it may be served, in microseconds since the epoch.
struct Slot {
    found: Arc<Compiled>,
    until: i64,
}

/// The table.
pub(crate) struct Hot {
    shards: Box<[RwLock<ByHash<Slot>>]>,
    /// The most routes of one shard.
    shard_max: usize,
    ttl: i64,
    hasher: RandomState,
    /// Grows with each change that is heard of.
    changes: AtomicU64,
}

/// How many changes had been heard of when a look-up began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Since(u64);

impl Hot {
    /// A table of at most `routes_max` routes, each served for `ttl_seconds` at most.
    pub(crate) fn new(routes_max: u64, ttl_seconds: u64) -> Self {
        let shard_max = usize::try_from(routes_max).unwrap_or(usize::MAX) / SHARDS;
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            shard_max: shard_max.max(1),
            ttl: i64::try_from(ttl_seconds)
                .unwrap_or(i64::MAX / 1_000_000)
                .saturating_mul(1_000_000),
            hasher: RandomState::new(),
            changes: AtomicU64::new(0),
        }
    }

    fn shard(&self, hash: u64) -> &RwLock<ByHash<Slot>> {
        // The table inside takes the low bits and the high ones.
        &self.shards[(hash >> 32) as usize % SHARDS]
    }

    /// The route of a key at `now`.
    pub(crate) fn get(&self, key: &str, now: i64) -> Option<Arc<Compiled>> {
        let hash = self.hasher.hash_one(key.as_bytes());
        let shard = self.shard(hash).read();
        let slot = shard.get(&hash)?;
        (slot.found.key.as_slice() == key.as_bytes() && now < slot.until)
            .then(|| Arc::clone(&slot.found))
    }

    /// Where a look-up behind the table begins; what it finds may be kept if nothing changes.
    pub(crate) fn since(&self) -> Since {
        Since(self.changes.load(Ordering::SeqCst))
    }

    /// Keeps what a look-up has found, unless a change was heard of since it began.
    pub(crate) fn put(&self, found: &Arc<Compiled>, now: i64, since: Since) {
        let hash = self.hasher.hash_one(found.key.as_slice());
        let mut shard = self.shard(hash).write();
        if self.changes.load(Ordering::SeqCst) != since.0 {
            return;
        }
        if shard.len() >= self.shard_max && !shard.contains_key(&hash) {
            shard.clear();
        }
        let slot = Slot {
            found: Arc::clone(found),
            until: now.saturating_add(self.ttl),
        };
        shard.insert(hash, slot);
    }

    /// Forgets a key: its route was changed. Look-ups that run now are not kept.
    pub(crate) fn forget(&self, key: &str) {
        // Counted first: who looks into the shard after this finds either no slot or a newer number.
        self.changes.fetch_add(1, Ordering::SeqCst);
        let hash = self.hasher.hash_one(key.as_bytes());
        if let Entry::Occupied(slot) = self.shard(hash).write().entry(hash) {
            slot.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::links::LinkSnapshot;
    use kernel::Id;

    use super::*;
    use crate::domain::route::Route;

    fn found(code: &str, url: &str) -> Arc<Compiled> {
        let body = LinkSnapshot {
            code: code.to_owned(),
            url: url.to_owned(),
            status: 302,
            enabled: true,
            ..LinkSnapshot::default()
        };
        Arc::new(Compiled::from(Route::of(
            1,
            Id::from_u128(1),
            1,
            body,
            None,
        )))
    }

    #[test]
    fn what_is_kept_is_served_until_it_is_changed_or_old() {
        let hot = Hot::new(1_000, 60);
        let old = found("a", "https://old.example/");
        hot.put(&old, 0, hot.since());
        assert!(hot.get("/a", 1).is_some_and(|f| Arc::ptr_eq(&f, &old)));
        assert!(hot.get("/b", 1).is_none());
        assert!(hot.get("/a", 60_000_000).is_none(), "too old");
        hot.forget("/a");
        assert!(hot.get("/a", 1).is_none());
    }

    #[test]
    fn what_was_looked_up_before_a_change_is_not_kept_after_it() {
        let hot = Hot::new(1_000, 60);
        let before = hot.since();
        let old = found("a", "https://old.example/");
        hot.forget("/a");
        hot.put(&old, 0, before);
        assert!(hot.get("/a", 1).is_none());
    }

    #[test]
    fn the_table_is_bounded() {
        let hot = Hot::new(64, 60);
        for n in 0..10_000 {
            hot.put(
                &found(&format!("l{n}"), "https://a.example/"),
                0,
                hot.since(),
            );
        }
        let kept: usize = hot.shards.iter().map(|shard| shard.read().len()).sum();
        assert!(kept <= 64, "{kept}");
    }
}
