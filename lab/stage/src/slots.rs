//! So many requests at once and a short line before them, as a server with a pool of threads has.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::FRONT;
use crate::contract::StageError;

pub(crate) struct Slots {
    free: Semaphore,
    line: Semaphore,
}

impl Slots {
    pub(crate) fn new(slots: usize, waiting: usize) -> Self {
        Self {
            free: Semaphore::new(slots),
            line: Semaphore::new(waiting),
        }
    }

    /// A slot until it is dropped, waited for at most `within` when all are taken.
    pub(crate) async fn enter(&self, within: Duration) -> Result<SemaphorePermit<'_>, StageError> {
        if let Ok(slot) = self.free.try_acquire() {
            return Ok(slot);
        }
        let service = || FRONT.to_owned();
        let full = |_| StageError::Full { service: service() };
        let _place = self.line.try_acquire().map_err(full)?;
        match timeout(within, self.free.acquire()).await {
            Ok(slot) => slot.map_err(|_| StageError::Ending { service: service() }),
            Err(_) => Err(StageError::Late { service: service() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn front() -> String {
        FRONT.to_owned()
    }

    #[tokio::test]
    async fn those_who_find_no_slot_wait_in_a_line_that_has_an_end() {
        let slots = Slots::new(1, 1);
        let first = slots.enter(LONG).await.expect("the only slot");
        let (second, third, ()) = tokio::join!(slots.enter(LONG), slots.enter(LONG), async {
            drop(first);
        });
        assert!(second.is_ok(), "it is let in when the first leaves");
        let refused = third.map(drop);
        assert_eq!(refused, Err(StageError::Full { service: front() }));
    }

    #[tokio::test]
    async fn nobody_waits_beyond_the_time_and_whoever_has_waited_leaves_no_trace() {
        let slots = Slots::new(1, 1);
        let first = slots.enter(LONG).await.expect("the only slot");
        for _ in 0..3 {
            let late = slots.enter(Duration::from_millis(10)).await.map(drop);
            assert_eq!(late, Err(StageError::Late { service: front() }));
        }
        drop(first);
        assert!(slots.enter(LONG).await.is_ok());
    }
}
