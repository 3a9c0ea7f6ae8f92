//! Time as a value that is passed in: what the calendar says, and how long something lasts here.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The moment `ms` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// The moment `s` seconds after the epoch.
    #[must_use]
    pub const fn from_secs(s: i64) -> Self {
        Self(s.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This moment moved later by `d`.
    #[must_use]
    pub fn plus(self, d: Duration) -> Self {
        Self(self.0.saturating_add(micros_of(d)))
    }

    /// This moment moved earlier by `d`.
    #[must_use]
    pub fn minus(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(micros_of(d)))
    }

    /// How long after `earlier` this is; zero when it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A moment that no setting of the clock moves: microseconds on a scale of this process alone.
///
/// For what lasts a while in this process, such as a lease or a pause. A clock that is set would make
/// it too short, or longer by as much as the clock was set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Steady(pub i64);

impl Steady {
    /// The moment `ms` milliseconds after the beginning of the scale.
    #[must_use]
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// Microseconds since the beginning of the scale.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This moment moved later by `d`.
    #[must_use]
    pub fn plus(self, d: Duration) -> Self {
        Self(self.0.saturating_add(micros_of(d)))
    }

    /// How long after `earlier` this is; zero when it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn micros_of(d: Duration) -> i64 {
    i64::try_from(d.as_micros()).unwrap_or(i64::MAX)
}

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The current moment, as the calendar says.
    fn now(&self) -> Timestamp;

    /// The current moment, on a scale that is never set.
    fn steady(&self) -> Steady;

    /// Ends when `d` has passed on the scale of [`Clock::steady`]. Cancellation-safe.
    fn sleep(&self, d: Duration) -> Sleep;
}

/// A pause that a clock measures.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The scale of [`Steady`] begins when it is first read: the system gives it no beginning.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the system clock is read"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Timestamp(micros_of(since))
    }

    fn steady(&self) -> Steady {
        Steady(micros_of(BEGINNING.elapsed()))
    }

    fn sleep(&self, d: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(d))
    }
}

/// A clock that moves only when told to. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<Hands>);

#[derive(Debug, Default)]
struct Hands {
    wall: AtomicI64,
    steady: AtomicI64,
    moved: Notify,
}

impl ManualClock {
    /// A clock that stands at `at`.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        let clock = Self::default();
        clock.set(at);
        clock
    }

    /// Sets the clock to `at`, as an administrator does: no time passes.
    pub fn set(&self, at: Timestamp) {
        self.0.wall.store(at.0, Ordering::SeqCst);
    }

    /// Lets `d` pass.
    pub fn advance(&self, d: Duration) {
        self.0.wall.fetch_add(micros_of(d), Ordering::SeqCst);
        self.pass(d);
    }

    /// Lets `d` pass for whoever sleeps, while the calendar stands still: what a test asserts of dates stays.
    pub fn pass(&self, d: Duration) {
        self.0.steady.fetch_add(micros_of(d), Ordering::SeqCst);
        self.0.moved.notify_waiters();
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.wall.load(Ordering::SeqCst))
    }

    fn steady(&self) -> Steady {
        Steady(self.0.steady.load(Ordering::SeqCst))
    }

    fn sleep(&self, d: Duration) -> Sleep {
        let (clock, until) = (self.clone(), self.steady().plus(d));
        Box::pin(async move {
            loop {
                let mut moved = std::pin::pin!(clock.0.moved.notified());
                // Before the look: a move between the two is not missed.
                moved.as_mut().enable();
                if clock.steady() >= until {
                    return;
                }
                moved.await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn sleepers_wake_when_their_time_has_passed_and_not_before() {
        let clock = ManualClock::at(Timestamp::from_secs(7));
        let mut sleepers = [3, 1, 2].map(|s| Some(clock.sleep(Duration::from_secs(s))));
        let mut cx = Context::from_waker(Waker::noop());
        for passed in 1..=3 {
            clock.pass(Duration::from_secs(1));
            for sleeper in &mut sleepers {
                if sleeper
                    .as_mut()
                    .is_some_and(|s| s.as_mut().poll(&mut cx).is_ready())
                {
                    *sleeper = None;
                }
            }
            assert_eq!(
                sleepers.iter().flatten().count(),
                3 - passed,
                "after {passed} s"
            );
        }
        assert_eq!(
            clock.now(),
            Timestamp::from_secs(7),
            "the calendar stood still"
        );
        clock.sleep(Duration::ZERO).await;
    }

    #[tokio::test]
    async fn a_move_between_the_look_and_the_wait_is_not_missed() {
        let clock = ManualClock::default();
        for _ in 0..1_000 {
            let sleeping = clock.sleep(Duration::from_millis(1));
            let mover = clock.clone();
            let moving = tokio::task::spawn_blocking(move || mover.pass(Duration::from_millis(1)));
            sleeping.await;
            moving.await.unwrap();
        }
    }
}
