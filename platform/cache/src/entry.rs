//! What can be cached.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

/// A value that can be cached.
///
/// To remember that something is absent, cache a type that can say so (`Option<T>`, an enum) and
/// give that case a short [`Entry::ttl_max`].
pub trait Entry: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Grows with every change of what is cached; an older version never replaces a newer one.
    /// Zero for values that have none. At most 2^53: Redis compares it as a double.
    fn version(&self) -> u64 {
        0
    }

    /// How long this value may be served, when that is shorter than the cache's own time.
    fn ttl_max(&self) -> Option<Duration> {
        None
    }
}

impl<T: Entry> Entry for Option<T> {
    fn version(&self) -> u64 {
        self.as_ref().map_or(0, Entry::version)
    }

    fn ttl_max(&self) -> Option<Duration> {
        self.as_ref().and_then(Entry::ttl_max)
    }
}

impl Entry for String {}
