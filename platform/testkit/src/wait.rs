//! Waiting for a condition, with a bound.

use std::time::{Duration, Instant};

/// Polls `condition` every 10 ms until it holds.
///
/// # Panics
///
/// When it does not hold within `at_most`; `what` says what was waited for.
pub async fn eventually<F>(what: &str, at_most: Duration, mut condition: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    let end = Instant::now() + at_most;
    loop {
        if condition().await {
            return;
        }
        assert!(
            Instant::now() < end,
            "waited {at_most:?} in vain until {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
