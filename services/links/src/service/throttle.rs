//! Who asks for too many codes that are not there is guessing, and has to wait.
//!
//! Counted per network in this process, in windows of fixed length and a table of fixed size. While
//! an address is throttled it gets 429 for every code, known or not: otherwise the answers would
//! still tell which codes exist.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kernel::Timestamp;
use parking_lot::Mutex;

use crate::domain::network::network;

/// The most addresses that are remembered; the table starts anew when it is full.
const ADDRESSES_MAX: usize = 65_536;

/// Who guesses.
pub(crate) struct Throttle {
    limit: u32,
    window: Duration,
    /// Until when some address is throttled: one load decides that none is.
    any_until: AtomicI64,
    seen: Mutex<HashMap<IpAddr, (Timestamp, u32)>>,
}

impl Throttle {
    pub(crate) fn new(limit: u32, window: Duration) -> Self {
        Self {
            limit,
            window,
            any_until: AtomicI64::new(0),
            seen: Mutex::default(),
        }
    }

    /// Seconds that `address` has to wait, if it has to.
    pub(crate) fn wait(&self, address: IpAddr, now: Timestamp) -> Option<u64> {
        if now.micros() >= self.any_until.load(Ordering::Relaxed) {
            return None;
        }
        let seen = self.seen.lock();
        let (began, misses) = *seen.get(&network(address))?;
        self.left(began, now).filter(|_| misses > self.limit)
    }

    /// Counts a miss of `address`; answers the seconds to wait if it was one too many.
    pub(crate) fn miss(&self, address: IpAddr, now: Timestamp) -> Option<u64> {
        let mut seen = self.seen.lock();
        if seen.len() >= ADDRESSES_MAX {
            seen.retain(|_, (began, _)| self.left(*began, now).is_some());
            if seen.len() >= ADDRESSES_MAX {
                seen.clear();
            }
        }
        let slot = seen.entry(network(address)).or_insert((now, 0));
        if self.left(slot.0, now).is_none() {
            *slot = (now, 0);
        }
        slot.1 = slot.1.saturating_add(1);
        if slot.1 <= self.limit {
            return None;
        }
        let end = slot.0.plus(self.window);
        self.any_until.fetch_max(end.micros(), Ordering::Relaxed);
        self.left(slot.0, now)
    }

    fn left(&self, began: Timestamp, now: Timestamp) -> Option<u64> {
        let left = began.plus(self.window).since(now);
        (!left.is_zero()).then(|| u64::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn the_one_too_many_waits_until_its_window_ends() {
        let throttle = Throttle::new(3, Duration::from_secs(60));
        let at = Timestamp::from_secs(1_000);
        assert_eq!([1, 2, 3].map(|_| throttle.miss(A, at)), [None; 3]);
        assert_eq!(throttle.wait(A, at), None);
        assert_eq!(throttle.miss(A, at), Some(60));
        assert_eq!(throttle.wait(A, Timestamp::from_secs(1_059)), Some(1));
        assert_eq!(throttle.wait(A, Timestamp::from_secs(1_060)), None);
        assert_eq!(throttle.wait(B, at), None, "another address is free");
    }

    #[test]
    fn the_table_is_bounded() {
        let throttle = Throttle::new(3, Duration::from_secs(60));
        for n in 0..200_000_u32 {
            throttle.miss(IpAddr::V4(n.into()), Timestamp::from_secs(1));
        }
        assert!(throttle.seen.lock().len() <= ADDRESSES_MAX);
    }
}
