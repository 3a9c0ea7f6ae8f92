//! Waits to the microsecond. The runtime's own timer has a grain of a millisecond, which at a
//! thousand requests a second is as long as the gap between two of them.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd, RawFd};
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A timer of the kernel. Wants a runtime with I/O.
#[derive(Debug)]
pub(crate) struct Timer(AsyncFd<Fd>);

#[derive(Debug)]
struct Fd(TimerFd);

impl AsRawFd for Fd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// Longer waits end after this time, so that no wait is out of the kernel's range.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

impl Timer {
    #[expect(
        deprecated,
        reason = "its successor is unsafe; the descriptor is owned by `Fd` and never replaced"
    )]
    pub(crate) fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        Ok(Self(AsyncFd::with_interest(Fd(timer), Interest::READABLE)?))
    }

    /// Waits for `wait` or an hour, whichever is shorter; less when a wait was given up before and
    /// ended meanwhile. Cancellation-safe.
    pub(crate) async fn sleep(&self, wait: Duration) -> io::Result<()> {
        if wait.is_zero() {
            return Ok(());
        }
        let once = Expiration::OneShot(TimeSpec::from_duration(wait.min(WAIT_MAX)));
        self.0.get_ref().0.set(once, TimerSetTimeFlags::empty())?;
        // What the timer counts need not be read: setting it anew makes it zero.
        self.0.readable().await?.clear_ready();
        Ok(())
    }
}
