//! The bulkhead: at most so many calls in flight, and so many more waiting in line. Its size is
//! read at each step, so a change of policy takes effect at once.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::BulkheadPolicy;

#[derive(Default)]
struct Inner {
    in_flight: u32,
    max_in_flight: u32,
    line: VecDeque<oneshot::Sender<Permit>>,
}

/// Cheap to clone; clones share their state.
#[derive(Clone)]
pub(crate) struct Bulkhead(Arc<Mutex<Inner>>);

/// The right to be in flight; ends when dropped.
pub(crate) struct Permit(Option<Bulkhead>);

/// What became of asking for a permit.
pub(crate) enum Entry {
    Admitted(Permit),
    /// In line; resolves to a permit.
    Waiting(oneshot::Receiver<Permit>),
    Full,
}

impl Bulkhead {
    pub(crate) fn new(policy: &BulkheadPolicy) -> Self {
        let max_in_flight = policy.max_in_flight;
        Self(Arc::new(Mutex::new(Inner {
            max_in_flight,
            ..Inner::default()
        })))
    }

    pub(crate) fn enter(&self, policy: &BulkheadPolicy) -> Entry {
        let mut inner = self.0.lock();
        inner.max_in_flight = policy.max_in_flight;
        if inner.in_flight < inner.max_in_flight {
            inner.in_flight += 1;
            return Entry::Admitted(Permit(Some(self.clone())));
        }
        inner.line.retain(|place| !place.is_closed());
        if inner.line.len() >= policy.max_waiting as usize {
            return Entry::Full;
        }
        let (place, turn) = oneshot::channel();
        inner.line.push_back(place);
        Entry::Waiting(turn)
    }

    /// Applies a new size: those who now fit are let in.
    pub(crate) fn resize(&self, policy: &BulkheadPolicy) {
        self.0.lock().max_in_flight = policy.max_in_flight;
        self.admit_waiting();
    }

    /// How many are in flight, and how many wait.
    pub(crate) fn load(&self) -> (u32, u32) {
        let inner = self.0.lock();
        let waiting = inner.line.iter().filter(|place| !place.is_closed()).count();
        (inner.in_flight, u32::try_from(waiting).unwrap_or(u32::MAX))
    }

    fn leave(&self) {
        let mut inner = self.0.lock();
        inner.in_flight -= 1;
        let waiting = !inner.line.is_empty();
        drop(inner);
        if waiting {
            self.admit_waiting();
        }
    }

    fn admit_waiting(&self) {
        let mut inner = self.0.lock();
        while inner.in_flight < inner.max_in_flight
            && let Some(place) = inner.line.pop_front()
        {
            inner.in_flight += 1;
            if let Err(mut unused) = place.send(Permit(Some(self.clone()))) {
                // Whoever waited is gone. Undo here: its drop would want the lock that we hold.
                unused.0 = None;
                inner.in_flight -= 1;
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(bulkhead) = self.0.take() {
            bulkhead.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: BulkheadPolicy = BulkheadPolicy {
        max_in_flight: 2,
        max_waiting: 1,
    };

    fn admitted(entry: Entry) -> Permit {
        match entry {
            Entry::Admitted(permit) => permit,
            _ => panic!("not admitted"),
        }
    }

    #[tokio::test]
    async fn whoever_waits_is_let_in_when_one_leaves() {
        let bulkhead = Bulkhead::new(&TWO);
        let first = admitted(bulkhead.enter(&TWO));
        let _second = admitted(bulkhead.enter(&TWO));
        let Entry::Waiting(turn) = bulkhead.enter(&TWO) else {
            panic!("not in line")
        };
        assert!(matches!(bulkhead.enter(&TWO), Entry::Full));
        assert_eq!(bulkhead.load(), (2, 1));
        drop(first);
        let _third = turn.await.expect("its turn");
        assert_eq!(bulkhead.load(), (2, 0));
    }

    #[test]
    fn whoever_gives_up_leaves_no_trace() {
        let bulkhead = Bulkhead::new(&TWO);
        let first = admitted(bulkhead.enter(&TWO));
        let second = admitted(bulkhead.enter(&TWO));
        let waiting = bulkhead.enter(&TWO);
        drop(waiting);
        assert!(
            matches!(bulkhead.enter(&TWO), Entry::Waiting(_)),
            "the place is free again"
        );
        drop((first, second));
        assert_eq!(bulkhead.load(), (0, 0));
    }

    #[tokio::test]
    async fn a_larger_bulkhead_lets_them_in_at_once() {
        let bulkhead = Bulkhead::new(&TWO);
        let _in = (
            admitted(bulkhead.enter(&TWO)),
            admitted(bulkhead.enter(&TWO)),
        );
        let Entry::Waiting(turn) = bulkhead.enter(&TWO) else {
            panic!("not in line")
        };
        bulkhead.resize(&BulkheadPolicy {
            max_in_flight: 3,
            max_waiting: 1,
        });
        let _third = turn.await.expect("its turn");
    }
}
