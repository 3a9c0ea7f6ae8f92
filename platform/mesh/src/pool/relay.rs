//! The waker that a connection's driver is polled with: it passes wakes on to whoever uses the
//! connection, except those that the user itself causes by reading the body. After such a read the
//! driver is polled anyway, and the wake would only make the whole task run once more for nothing.

use std::cell::Cell;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use futures_util::task::AtomicWaker;

thread_local! {
    /// Whether this thread is reading a body right now. The flag is the thread's and not the
    /// relay's, because the socket may wake the relay from another thread at the same moment.
    static READING: Cell<bool> = const { Cell::new(false) };
}

#[derive(Default)]
struct Target(AtomicWaker);

impl Wake for Target {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !READING.get() {
            self.0.wake();
        }
    }
}

pub(super) struct Relay {
    target: Arc<Target>,
    waker: Waker,
}

impl Relay {
    pub(super) fn new() -> Self {
        let target = Arc::new(Target::default());
        let waker = Waker::from(Arc::clone(&target));
        Self { target, waker }
    }

    /// A context for the driver, whose wakes go to `cx` from now on.
    pub(super) fn context(&self, cx: &Context<'_>) -> Context<'_> {
        self.target.0.register(cx.waker());
        Context::from_waker(&self.waker)
    }
}

/// Runs `read` without passing on the wakes that it causes.
pub(super) fn quietly<R>(read: impl FnOnce() -> R) -> R {
    READING.set(true);
    let result = read();
    READING.set(false);
    result
}
