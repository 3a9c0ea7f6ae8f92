//! Loads under way: one per key, shared by all who ask meanwhile, or one for each who asks; each is
//! told when it is overtaken.

use std::any::Any;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

const SHARDS: usize = 64;

/// How a load ended. A load that panicked or was cancelled has no outcome: its sender is gone.
enum Outcome<V> {
    Value(Arc<V>),
    Error(Arc<dyn Any + Send + Sync>),
}

struct Flight<V> {
    done: watch::Receiver<Option<Outcome<V>>>,
    /// A change became known meanwhile; read and written under the lock of the shard.
    overtaken: Arc<AtomicBool>,
}

struct Shard<V> {
    flights: HashMap<Arc<str>, Flight<V>>,
    /// Grows with each change, for the loads that nobody can join: they are in no list.
    changes: u64,
}

/// The loads under way. Each belongs to a waiting caller, so the callers bound their number.
pub(crate) struct Flights<V> {
    shards: Vec<Mutex<Shard<V>>>,
    hasher: RandomState,
}

/// What a caller has to do.
pub(crate) enum Turn<'a, V> {
    /// Load, and say how it ended.
    Lead(Lead<'a, V>),
    /// Wait for who loads.
    Follow(Follow<V>),
}

/// The right and duty to load one key. Dropped without an outcome, it frees the followers.
pub(crate) struct Lead<'a, V> {
    flights: &'a Flights<V>,
    key: Arc<str>,
    with: With<V>,
}

/// For whom a load is.
enum With<V> {
    /// For whoever joins it.
    Followers {
        done: watch::Sender<Option<Outcome<V>>>,
        overtaken: Arc<AtomicBool>,
    },
    /// For its caller alone.
    Nobody {
        /// What the shard's `changes` were when it began. A change of another key of the shard
        /// counts too: then a value is not kept that could have been.
        since: u64,
    },
}

/// The wait for another's load.
pub(crate) struct Follow<V>(watch::Receiver<Option<Outcome<V>>>);

/// How a wait ended.
pub(crate) enum Wait<V, E> {
    Value(Arc<V>),
    Error(E),
    /// There was no outcome that this caller can use: ask again.
    Again,
}

impl<V> Default for Flights<V> {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS)
                .map(|_| {
                    Mutex::new(Shard {
                        flights: HashMap::new(),
                        changes: 0,
                    })
                })
                .collect(),
            hasher: RandomState::new(),
        }
    }
}

impl<V> Flights<V> {
    fn shard(&self, key: &str) -> &Mutex<Shard<V>> {
        let hash = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        &self.shards[hash]
    }

    /// Joins the load of `key` that is under way, or begins one.
    pub(crate) fn join(&self, key: &str) -> Turn<'_, V> {
        let mut shard = self.shard(key).lock();
        if let Some(flight) = shard.flights.get(key) {
            return Turn::Follow(Follow(flight.done.clone()));
        }
        let key: Arc<str> = Arc::from(key);
        let (done, receiver) = watch::channel(None);
        let overtaken = Arc::new(AtomicBool::new(false));
        let flight = Flight {
            done: receiver,
            overtaken: Arc::clone(&overtaken),
        };
        shard.flights.insert(Arc::clone(&key), flight);
        Turn::Lead(Lead {
            flights: self,
            key,
            with: With::Followers { done, overtaken },
        })
    }

    /// Begins a load of `key` that nobody joins, whoever else loads it.
    pub(crate) fn alone(&self, key: &str) -> Lead<'_, V> {
        let since = self.shard(key).lock().changes;
        Lead {
            flights: self,
            key: Arc::from(key),
            with: With::Nobody { since },
        }
    }

    /// Makes `change` to the memory. A load of `key` that is under way is not kept and takes no
    /// more followers: who asks from now on loads anew.
    pub(crate) fn supersede<R>(&self, key: &str, change: impl FnOnce() -> R) -> R {
        let mut shard = self.shard(key).lock();
        shard.changes += 1;
        if let Some(flight) = shard.flights.remove(key) {
            flight.overtaken.store(true, Ordering::Relaxed);
        }
        change()
    }

    /// The same for every key.
    pub(crate) fn supersede_all(&self, change: impl FnOnce()) {
        let mut guards: Vec<_> = self.shards.iter().map(Mutex::lock).collect();
        for shard in &mut guards {
            shard.changes += 1;
            for (_, flight) in shard.flights.drain() {
                flight.overtaken.store(true, Ordering::Relaxed);
            }
        }
        change();
    }
}

impl<V> Lead<'_, V> {
    /// Ends the flight: calls `keep` unless a change became known meanwhile, then tells the
    /// followers. Answers what `keep` did, and false without it.
    pub(crate) fn finish<E>(self, result: &Result<Arc<V>, E>, keep: impl FnOnce() -> bool) -> bool
    where
        E: Clone + Send + Sync + 'static,
    {
        let kept = {
            let shard = self.flights.shard(&self.key).lock();
            !self.with.is_overtaken(&shard) && keep()
        };
        let With::Followers { done, .. } = &self.with else {
            return kept;
        };
        let outcome = match result {
            Ok(value) => Outcome::Value(Arc::clone(value)),
            Err(error) => Outcome::Error(Arc::new(error.clone())),
        };
        done.send_replace(Some(outcome));
        kept
    }

    /// Whether a change became known meanwhile.
    pub(crate) fn is_overtaken(&self) -> bool {
        self.with
            .is_overtaken(&self.flights.shard(&self.key).lock())
    }
}

impl<V> With<V> {
    fn is_overtaken(&self, shard: &Shard<V>) -> bool {
        match self {
            Self::Followers { overtaken, .. } => overtaken.load(Ordering::Relaxed),
            Self::Nobody { since } => shard.changes != *since,
        }
    }
}

impl<V> Drop for Lead<'_, V> {
    fn drop(&mut self) {
        let With::Followers { overtaken, .. } = &self.with else {
            return;
        };
        let mut shard = self.flights.shard(&self.key).lock();
        let mine = |f: &Flight<V>| Arc::ptr_eq(&f.overtaken, overtaken);
        if shard.flights.get(&*self.key).is_some_and(mine) {
            shard.flights.remove(&*self.key);
        }
    }
}

impl<V> Follow<V> {
    /// Waits until the load has ended, or its caller is gone.
    pub(crate) async fn outcome<E: Clone + 'static>(mut self) -> Wait<V, E> {
        let Ok(outcome) = self.0.wait_for(Option::is_some).await else {
            return Wait::Again;
        };
        match &*outcome {
            Some(Outcome::Value(value)) => Wait::Value(Arc::clone(value)),
            // Two callers may load the same key with different error types; then each loads itself.
            Some(Outcome::Error(error)) => error
                .downcast_ref::<E>()
                .map_or(Wait::Again, |e| Wait::Error(e.clone())),
            None => Wait::Again,
        }
    }
}
