//! The routes that are asked for again and again, in a table that is only read on the click path.
//!
//! The cache behind it keeps books on every look-up, to know what to drop; with 100,000 links in
//! turn that was 40 % of a redirect. Here a look-up moves nothing: it hashes the key, reads one slot
//! under a shared lock and compares the key. What a plain redirect needs stands in the slot, because
//! with many links each further place is far memory. What is dropped is decided by throwing a shard
//! away when it is full; the cache behind still has it.

mod slot;

use std::collections::hash_map::Entry;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel::Timestamp;
use parking_lot::RwLock;

use self::slot::Slot;
use super::compiled::{Compiled, Ready};
use super::recorder::ByHash;

const SHARDS: usize = 32;

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
    pub(crate) fn get(&self, key: &str, now: Timestamp) -> Option<Arc<Compiled>> {
        self.read(key, now, Slot::found)
    }

    /// The redirect of a key at `now`: `None` if the route is not here, `Some(None)` if it is but
    /// cannot be answered at once.
    pub(crate) fn ready(&self, key: &str, now: Timestamp) -> Option<Option<Ready>> {
        self.read(key, now, |slot| slot.ready(now))
    }

    fn read<R>(&self, key: &str, now: Timestamp, read: impl FnOnce(&Slot) -> R) -> Option<R> {
        let hash = self.hasher.hash_one(key.as_bytes());
        let shard = self.shard(hash).read();
        let slot = shard.get(&hash)?;
        slot.is_good(key, now).then(|| read(slot))
    }

    /// Where a look-up behind the table begins; what it finds may be kept if nothing changes.
    pub(crate) fn since(&self) -> Since {
        Since(self.changes.load(Ordering::SeqCst))
    }

    /// Keeps what a look-up has found, unless a change was heard of since it began.
    pub(crate) fn put(&self, found: &Arc<Compiled>, now: Timestamp, since: Since) {
        let hash = self.hasher.hash_one(found.key.as_bytes());
        let mut shard = self.shard(hash).write();
        if self.changes.load(Ordering::SeqCst) != since.0 {
            return;
        }
        if shard.len() >= self.shard_max && !shard.contains_key(&hash) {
            shard.clear();
        }
        let until = now.micros().saturating_add(self.ttl);
        shard.insert(hash, Slot::new(found, until));
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

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    #[test]
    fn what_is_kept_is_served_until_it_is_changed_or_old() {
        let hot = Hot::new(1_000, 60);
        let old = found("a", "https://old.example/");
        hot.put(&old, at(0), hot.since());
        assert!(hot.get("/a", at(1)).is_some_and(|f| Arc::ptr_eq(&f, &old)));
        assert!(hot.get("/b", at(1)).is_none());
        assert!(hot.get("/a", at(60)).is_none(), "too old");
        hot.forget("/a");
        assert!(hot.get("/a", at(1)).is_none());
    }

    #[test]
    fn texts_of_every_length_are_answered_whole() {
        let hot = Hot::new(1_000_000, 60);
        for code in (1..100).step_by(7) {
            for url in 1..100 {
                let whole = found(&"c".repeat(code), &"u".repeat(url));
                hot.put(&whole, at(0), hot.since());
                let ready = hot.ready(&whole.key, at(1)).flatten().expect("a redirect");
                let expected = whole.ready(at(1)).expect("a redirect");
                assert_eq!(ready.location, "u".repeat(url), "{code} {url}");
                assert_eq!(ready.location, expected.location);
                assert_eq!(ready.cache_control, expected.cache_control);
                assert_eq!((ready.link, ready.status), (expected.link, expected.status));
            }
        }
    }

    #[test]
    fn what_more_than_the_clock_decides_is_not_answered_at_once() {
        let hot = Hot::new(1_000, 60);
        let ready = |change: fn(&mut Route), seconds| {
            let mut route = found("a", "https://a.example/").route.clone();
            change(&mut route);
            let whole = Arc::new(Compiled::from(route));
            hot.put(&whole, at(0), hot.since());
            let ready = hot.ready("/a", at(seconds)).expect("it is here");
            assert_eq!(ready.is_some(), whole.ready(at(seconds)).is_some());
            ready
        };
        assert!(ready(|_| {}, 1).is_some());
        assert!(ready(|r| r.expires_at = Some(2_000_000), 1).is_some());
        assert!(ready(|r| r.expires_at = Some(2_000_000), 2).is_none());
        assert!(ready(|r| r.enabled = false, 1).is_none());
        assert!(ready(|r| r.limited = true, 1).is_none());
        assert!(ready(|r| r.password_version = Some(1), 1).is_none());
        assert!(ready(|r| r.forward_query = true, 1).is_none());
        let own = ready(|r| r.cache_control = Some("public".to_owned()), 1);
        assert_eq!(own.expect("a redirect").cache_control, "public");
    }

    #[test]
    fn what_was_looked_up_before_a_change_is_not_kept_after_it() {
        let hot = Hot::new(1_000, 60);
        let before = hot.since();
        let old = found("a", "https://old.example/");
        hot.forget("/a");
        hot.put(&old, at(0), before);
        assert!(hot.get("/a", at(1)).is_none());
    }

    #[test]
    fn the_table_is_bounded() {
        let hot = Hot::new(64, 60);
        for n in 0..10_000 {
            hot.put(
                &found(&format!("l{n}"), "https://a.example/"),
                at(0),
                hot.since(),
            );
        }
        let kept: usize = hot.shards.iter().map(|shard| shard.read().len()).sum();
        assert!(kept <= 64, "{kept}");
    }
}
