//! The first tier: entries of this process, bounded by number, each with its own end.

use std::sync::Arc;
use std::time::Duration;

use kernel::Timestamp;

use crate::Entry;

/// What may still be cached after a change became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Floor {
    /// This version and newer.
    AtLeast(u64),
    /// Nothing that was read before.
    Nothing,
}

impl Floor {
    pub(crate) const fn admits(self, version: u64) -> bool {
        match self {
            Self::AtLeast(floor) => version >= floor,
            Self::Nothing => false,
        }
    }

    /// What is still welcome once a value of `version` is known; without versions, nothing.
    pub(crate) const fn since(version: u64) -> Self {
        if version == 0 {
            Self::Nothing
        } else {
            Self::AtLeast(version)
        }
    }

    /// Both changes are known.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (Self::AtLeast(a), Self::AtLeast(b)) => Self::AtLeast(a.max(b)),
        }
    }
}

struct Slot<V> {
    value: Arc<V>,
    until: Timestamp,
}

impl<V> Clone for Slot<V> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            until: self.until,
        }
    }
}

/// Writers hold the flight lock of the key; readers hold nothing.
pub(crate) struct Memory<V> {
    slots: moka::sync::Cache<Arc<str>, Slot<V>>,
    ttl: Duration,
}

impl<V: Entry> Memory<V> {
    pub(crate) fn new(capacity: u64, ttl: Duration) -> Self {
        Self {
            slots: moka::sync::Cache::new(capacity),
            ttl,
        }
    }

    pub(crate) fn get(&self, key: &str, now: Timestamp) -> Option<Arc<V>> {
        let slot = self.slots.get(key)?;
        (now < slot.until).then_some(slot.value)
    }

    /// Keeps `value`, for `left` at most, unless something newer is there.
    pub(crate) fn put(&self, key: &str, value: Arc<V>, now: Timestamp, left: Duration) -> bool {
        if let Some(old) = self.slots.get(key)
            && now < old.until
            && old.value.version() > value.version()
        {
            return false;
        }
        let ttl = value.ttl_max().unwrap_or(self.ttl).min(self.ttl).min(left);
        self.slots.insert(
            Arc::from(key),
            Slot {
                value,
                until: now.plus(ttl),
            },
        );
        true
    }

    pub(crate) fn remove_below(&self, key: &str, floor: Floor) {
        if let Some(old) = self.slots.get(key)
            && !floor.admits(old.value.version())
        {
            self.slots.invalidate(key);
        }
    }

    pub(crate) fn clear(&self) {
        self.slots.invalidate_all();
    }

    pub(crate) fn len(&self) -> u64 {
        self.slots.run_pending_tasks();
        self.slots.entry_count()
    }
}
