//! A response body that drives its own connection and gives it back when it has been read.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::connection::Connection;
use super::relay::quietly;
use super::{BoxError, Pool};

/// The body of a response. Read it to its end and its connection goes back to the pool; drop it
/// earlier and the connection is closed.
pub struct PooledBody<B: Body + Send + 'static> {
    incoming: Incoming,
    /// `None` once the connection has nothing more to read for this body.
    held: Option<Held<B>>,
}

struct Held<B: Body + Send + 'static> {
    connection: Connection<B>,
    pool: Pool<B>,
    addr: SocketAddr,
}

impl<B> PooledBody<B>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(
        incoming: Incoming,
        connection: Connection<B>,
        pool: Pool<B>,
        addr: SocketAddr,
    ) -> Self {
        let mut body = Self {
            incoming,
            held: Some(Held {
                connection,
                pool,
                addr,
            }),
        };
        // A short body has come in with its head: the connection is free before the body is read.
        if let Some(held) = body.held.as_mut().filter(|_| body.incoming.is_end_stream()) {
            held.connection
                .drive(&mut Context::from_waker(Waker::noop()));
        }
        body.release_if_ready();
        body
    }

    /// The next frame if it has arrived. Lets the connection go with the last one.
    fn arrived(&mut self) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        // Only the driver fills `incoming`, and it is polled with the real waker after each miss.
        let mut quiet = Context::from_waker(Waker::noop());
        let incoming = Pin::new(&mut self.incoming);
        let frame = ready!(quietly(|| incoming.poll_frame(&mut quiet)));
        if !matches!(frame, Some(Ok(_))) || self.incoming.is_end_stream() {
            if let Some(held) = &mut self.held {
                held.connection.drive(&mut quiet);
            }
            self.release_if_ready();
            self.held = None;
        }
        Poll::Ready(frame)
    }

    fn release_if_ready(&mut self) {
        if let Some(held) = self.held.take_if(|h| h.connection.is_ready()) {
            held.pool.release(held.addr, held.connection);
        }
    }
}

impl<B> Body for PooledBody<B>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        // Twice at most: the second miss has told the driver that more is wanted.
        for _ in 0..2 {
            if this.held.is_none() {
                break;
            }
            if let Poll::Ready(frame) = this.arrived() {
                return Poll::Ready(frame);
            }
            let Some(held) = &mut this.held else { break };
            held.connection.drive(cx);
            if held.connection.has_ended() {
                this.held = None;
            } else {
                this.release_if_ready();
            }
        }
        match &this.held {
            Some(_) => this.arrived(),
            // Whatever is still to come has arrived already.
            None => quietly(|| Pin::new(&mut this.incoming).poll_frame(cx)),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
