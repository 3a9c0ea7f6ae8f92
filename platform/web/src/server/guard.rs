//! A request body that may be neither too large nor too slow.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{BodyError, BoxError};

pub(super) struct Guard {
    incoming: Incoming,
    max: usize,
    left: usize,
    pause_max: Duration,
    /// Made at the first pause: most bodies come in one piece.
    alarm: Option<Pin<Box<Sleep>>>,
    pausing: bool,
}

impl Guard {
    pub(super) const fn new(incoming: Incoming, max: usize, pause_max: Duration) -> Self {
        Self {
            incoming,
            max,
            left: max,
            pause_max,
            alarm: None,
            pausing: false,
        }
    }

    /// Whether the pause has lasted too long.
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let until = Instant::now() + self.pause_max;
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        if !self.pausing {
            self.pausing = true;
            alarm.as_mut().reset(until);
        }
        alarm.as_mut().poll(cx)
    }
}

impl HttpBody for Guard {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Pending => {
                return self
                    .poll_alarm(cx)
                    .map(|()| Some(Err(BodyError::TooSlow.into())));
            }
            Poll::Ready(frame) => frame,
        };
        self.pausing = false;
        let frame = match frame {
            None => return Poll::Ready(None),
            Some(Err(_)) => return Poll::Ready(Some(Err(BodyError::Broken.into()))),
            Some(Ok(frame)) => frame,
        };
        let size = frame.data_ref().map_or(0, Bytes::len);
        if size > self.left {
            return Poll::Ready(Some(Err(BodyError::TooLarge { max: self.max }.into())));
        }
        self.left -= size;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
