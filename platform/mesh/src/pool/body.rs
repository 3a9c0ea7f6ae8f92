//! A response body that drives its own connection and gives it back when it has been read.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::connection::Connection;
use super::decode::Decoder;
use super::outgoing::Outgoing;
use super::{BoxError, Pool};

/// The body of a response. Read it to its end and its connection goes back to the pool; drop it
/// earlier and the connection is closed. `B` is the body of the request, which may still be on its
/// way.
pub struct PooledBody<B> {
    /// The first piece, which came in with the head.
    first: Option<Frame<Bytes>>,
    /// Where the rest comes from, if there is more.
    rest: Option<Box<Reading<B>>>,
}

pub(super) struct Reading<B> {
    pub(super) connection: Connection,
    pub(super) decoder: Decoder,
    /// The connection is of use after this.
    pub(super) keeps_alive: bool,
    /// What is still to be sent of the request.
    pub(super) request: Option<Outgoing<B>>,
    pub(super) pool: Pool,
    pub(super) addr: SocketAddr,
}

impl<B> PooledBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// What has come in with the head is taken at once: if that is all, the connection is free.
    pub(super) fn new(mut reading: Reading<B>) -> Self {
        // What cannot be decoded stays where it is, and is an error for whoever reads on.
        let first = reading.decoder.next(&mut reading.connection.buffer);
        let rest = reading.go_on();
        Self {
            first: first.unwrap_or_default(),
            rest,
        }
    }

    /// The whole body, if all of it has come in with the head.
    ///
    /// # Errors
    /// Gives the body back if more is to come.
    pub fn into_whole(self) -> Result<Bytes, Self> {
        match (self.rest, self.first) {
            (None, None) => Ok(Bytes::new()),
            (None, Some(frame)) => frame.into_data().map_err(|frame| Self {
                first: Some(frame),
                rest: None,
            }),
            (rest, first) => Err(Self { first, rest }),
        }
    }
}

impl<B> Reading<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// `self`, unless the body has ended: then the connection goes back to the pool, if it can.
    fn go_on(mut self) -> Option<Box<Self>> {
        if !self.decoder.has_ended() {
            return Some(Box::new(self));
        }
        if self.keeps_alive && self.request.is_none() && self.connection.rest() {
            self.pool.release(self.addr, self.connection);
        }
        None
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Frame<Bytes>>>> {
        if let Some(request) = &mut self.request {
            match self.connection.poll_send(request, cx) {
                Poll::Ready(Ok(())) => self.request = None,
                Poll::Ready(Err(error)) if request.is_broken() => return Poll::Ready(Err(error)),
                // It has answered and may read no more.
                Poll::Ready(Err(_)) => (self.request, self.keeps_alive) = (None, false),
                Poll::Pending => {}
            }
        }
        loop {
            let frame = self.decoder.next(&mut self.connection.buffer)?;
            if frame.is_some() || self.decoder.has_ended() {
                return Poll::Ready(Ok(frame));
            }
            if std::task::ready!(self.connection.poll_read(cx))? == 0 {
                self.decoder.end()?;
            }
        }
    }
}

impl<B> Body for PooledBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Some(reading) = &mut this.rest else {
            return Poll::Ready(None);
        };
        let next = std::task::ready!(reading.poll_next(cx));
        if next.is_err() {
            this.rest = None;
        } else if reading.decoder.has_ended() {
            this.rest = this.rest.take().and_then(|r| r.go_on());
        }
        Poll::Ready(next.transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let first = self.first.as_ref().and_then(Frame::data_ref);
        let first = first.map_or(0, Bytes::len) as u64;
        let rest = self.rest.as_ref().map_or(Some(0), |r| r.decoder.bytes());
        rest.map_or_else(SizeHint::new, |rest| SizeHint::with_exact(first + rest))
    }
}
