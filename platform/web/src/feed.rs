//! A feed: numbered items that clients follow by a stream or by long polls, and resume by number at
//! whichever replica they come to. The last ones are kept in a ring; who was away for longer is told
//! that there is a gap.

mod after;
mod stream;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::watch;

use crate::{Leaving, Response};

pub use after::LastEventId;

/// How many items one poll answers at most.
const POLL_ITEMS_MAX: usize = 1_000;
/// How long a long poll may last, whatever is asked for: proxies give up on silence.
const POLL_MAX: Duration = Duration::from_secs(55);
/// How often a stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Numbered items, the last of them kept. Cheap to clone; clones are the same feed.
///
/// Numbers grow, with holes or without, and mean the same at every replica and after a restart:
/// they come from the store, as the number of an event does. A replica may lag behind another: whoever
/// asks it for what comes after a number that it does not have yet waits for it.
pub struct Feed<T>(Arc<Shared<T>>);

struct Shared<T> {
    ring: Mutex<Ring<T>>,
    last: watch::Sender<u64>,
    heartbeat: Duration,
}

struct Ring<T> {
    keep: usize,
    /// What has this number or a smaller one is not here.
    floor: u64,
    items: VecDeque<Item<T>>,
}

struct Item<T> {
    seq: u64,
    item: T,
    /// The same as an event, written once for all streams.
    event: Bytes,
}

/// What a poll answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Polled<T> {
    /// What is new, with its numbers, the oldest first.
    pub items: Vec<(u64, T)>,
    /// The number to go on from: the next poll's `after`.
    pub after: u64,
    /// Items between are gone: load anew, then go on from `after`.
    pub gap: bool,
}

/// Why an item does not enter a feed.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// Its number is not above the last one.
    #[error("item {seq} comes after item {last}; push items in the order of their numbers")]
    Order {
        /// Its number.
        seq: u64,
        /// The last number.
        last: u64,
    },
    /// It cannot be written as JSON.
    #[error("an item cannot be written as JSON; give its maps text keys")]
    Json(#[from] serde_json::Error),
}

impl<T: Clone + Serialize + Send + Sync + 'static> Feed<T> {
    /// A feed that keeps the last `keep` items (one at least), of which all that come have a number
    /// above `floor`: the last number that the store had when this process began to follow it.
    #[must_use]
    pub fn new(floor: u64, keep: usize) -> Self {
        let ring = Ring {
            keep: keep.max(1),
            floor,
            items: VecDeque::new(),
        };
        Self(Arc::new(Shared {
            ring: Mutex::new(ring),
            last: watch::Sender::new(floor),
            heartbeat: HEARTBEAT,
        }))
    }

    /// The number of the last item, or what it began with.
    #[must_use]
    pub fn last(&self) -> u64 {
        *self.0.last.borrow()
    }

    /// Adds an item. Push it once it can be read where clients load from, so that who loads after a
    /// gap misses nothing.
    pub fn push(&self, seq: u64, item: T) -> Result<(), FeedError> {
        let event = stream::event(seq, &serde_json::to_string(&item)?);
        let mut ring = self.0.ring.lock();
        let last = self.last();
        if seq <= last {
            return Err(FeedError::Order { seq, last });
        }
        if ring.items.len() == ring.keep
            && let Some(oldest) = ring.items.pop_front()
        {
            ring.floor = oldest.seq;
        }
        ring.items.push_back(Item { seq, item, event });
        // Under the lock: what is announced is there.
        self.0.last.send_replace(seq);
        Ok(())
    }

    /// A stream of server-sent events with what comes after `after`, or with what is new. It beats,
    /// says `gap` with the number to go on from when `after` is too old, and ends when told to leave;
    /// the client then comes back with the last number.
    #[must_use]
    pub fn sse(&self, after: LastEventId, leaving: &Leaving) -> Response {
        stream::response(self.clone(), after.0, leaving)
    }

    /// What comes after `after`, as soon as there is something. Nothing when `within` has passed or
    /// the process is to leave: ask again.
    pub async fn poll(&self, after: u64, within: Duration, leaving: &Leaving) -> Polled<T> {
        let mut news = self.0.last.subscribe();
        let something = async {
            loop {
                let polled = self.now(after);
                if polled.gap || !polled.items.is_empty() || news.changed().await.is_err() {
                    return polled;
                }
            }
        };
        tokio::select! {
            biased;
            polled = something => polled,
            () = leaving.told() => self.now(after),
            () = tokio::time::sleep(within.min(POLL_MAX)) => self.now(after),
        }
    }

    /// What comes after `after` and is there.
    fn now(&self, after: u64) -> Polled<T> {
        let ring = self.0.ring.lock();
        if after < ring.floor {
            return Polled {
                items: Vec::new(),
                after: self.last(),
                gap: true,
            };
        }
        let new = ring.after(after).take(POLL_ITEMS_MAX);
        let items: Vec<_> = new.map(|i| (i.seq, i.item.clone())).collect();
        Polled {
            after: items.last().map_or(after, |(seq, _)| *seq),
            items,
            gap: false,
        }
    }
}

impl<T> Ring<T> {
    /// What has a number above `after`, the oldest first.
    fn after(&self, after: u64) -> impl Iterator<Item = &Item<T>> {
        let begin = self.items.partition_point(|i| i.seq <= after);
        self.items.range(begin..)
    }
}

impl<T> Clone for Feed<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> std::fmt::Debug for Feed<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Feed({})", *self.0.last.borrow())
    }
}
