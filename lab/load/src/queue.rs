//! Requests that are due and wait for a connection: bounded, in order.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// A request that is due. Moments are nanoseconds since the start of the run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shot {
    /// When the schedule wanted it sent.
    pub(crate) due: u64,
    /// When it came into the queue.
    pub(crate) queued: u64,
    /// Which target is asked.
    pub(crate) target: usize,
}

/// The queue before the connections to one host.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<VecDeque<Shot>>,
    /// One permit per request that waits.
    ready: Semaphore,
    max: usize,
}

impl Queue {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            waiting: Mutex::new(VecDeque::new()),
            ready: Semaphore::new(0),
            max,
        }
    }

    /// Puts a request last; `false` when the queue is full.
    #[must_use]
    pub(crate) fn push(&self, shot: Shot) -> bool {
        let mut waiting = self.waiting.lock();
        if waiting.len() >= self.max {
            return false;
        }
        waiting.push_back(shot);
        self.ready.add_permits(1);
        true
    }

    /// Takes the first request, once there is one. Cancellation-safe.
    pub(crate) async fn next(&self) -> Shot {
        loop {
            if let Ok(permit) = self.ready.acquire().await {
                permit.forget();
            }
            if let Some(shot) = self.waiting.lock().pop_front() {
                return shot;
            }
        }
    }

    /// Takes all that still wait.
    pub(crate) fn drain(&self) -> Vec<Shot> {
        self.waiting.lock().drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shot(target: usize) -> Shot {
        Shot {
            due: 0,
            queued: 0,
            target,
        }
    }

    #[tokio::test]
    async fn requests_leave_in_order_and_a_full_queue_takes_no_more() {
        let queue = Queue::new(2);
        assert!(queue.push(shot(1)) && queue.push(shot(2)));
        assert!(!queue.push(shot(3)), "it is full");
        assert_eq!(queue.next().await.target, 1);
        assert!(queue.push(shot(4)));
        let left: Vec<usize> = queue.drain().iter().map(|shot| shot.target).collect();
        assert_eq!(left, [2, 4]);
        assert!(queue.drain().is_empty());
    }
}
