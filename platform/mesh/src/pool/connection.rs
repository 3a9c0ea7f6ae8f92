//! One HTTP/1.1 connection to an endpoint. Whoever holds it drives it.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use http_body::Body;
use tokio::net::TcpStream;
use tokio_util::io::poll_read_buf;

use super::BoxError;
use super::head::{self, Head};
use super::outgoing::Outgoing;

/// So much room there is for what comes in, at least and at first.
const READ_BYTES_MIN: usize = 2 * 1024;
const READ_BYTES: usize = 8 * 1024;
/// So much, when a body comes in faster than it is read.
const READ_BYTES_MAX: usize = 64 * 1024;

pub(super) struct Connection {
    stream: TcpStream,
    /// What has come in and has not been taken yet.
    pub(super) buffer: BytesMut,
    room: usize,
}

impl Connection {
    pub(super) async fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: BytesMut::new(),
            room: READ_BYTES,
        })
    }

    /// Whether an idle connection can take a request: the peer has not closed it, nor said
    /// anything unasked. Costs a system call only when the runtime has seen something arrive.
    pub(super) fn is_alive(&mut self) -> bool {
        let read = self.poll_read(&mut Context::from_waker(Waker::noop()));
        read.is_pending()
    }

    /// Reads what is there; ready with how much, which is nothing at the end.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.buffer.capacity() - self.buffer.len() < READ_BYTES_MIN {
            self.buffer.reserve(self.room);
        }
        let room = self.buffer.capacity() - self.buffer.len();
        let read = ready!(poll_read_buf(
            Pin::new(&mut self.stream),
            cx,
            &mut self.buffer
        ))?;
        if read == room {
            self.room = (self.room * 2).min(READ_BYTES_MAX);
        }
        Poll::Ready(Ok(read))
    }

    /// Sends what can be sent of a request.
    pub(super) fn poll_send<B>(
        &mut self,
        request: &mut Outgoing<B>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<BoxError>,
    {
        request.poll_send(Pin::new(&mut self.stream), cx)
    }

    /// Readies it for lying idle. `false` when it is of no use any more.
    pub(super) fn rest(&mut self) -> bool {
        if self.room > READ_BYTES {
            (self.buffer, self.room) = (BytesMut::new(), READ_BYTES);
        }
        self.buffer.is_empty()
    }

    /// Sends a request and waits for the head of its response; the body of the request may still be
    /// on its way then.
    pub(super) async fn exchange<B>(&mut self, request: &mut Outgoing<B>) -> io::Result<Head>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<BoxError>,
    {
        // Whoever refuses a body may stop reading it and answer all the same.
        let mut refused = None;
        poll_fn(|cx| {
            if !request.is_sent()
                && let Poll::Ready(Err(error)) = self.poll_send(request, cx)
            {
                if request.is_whole() || request.is_broken() {
                    return Poll::Ready(Err(error));
                }
                refused = Some(error);
            }
            loop {
                match ready!(self.poll_read(cx)) {
                    Ok(1..) => {}
                    Ok(0) => return Poll::Ready(Err(refused.take().unwrap_or_else(no_answer))),
                    Err(error) => return Poll::Ready(Err(refused.take().unwrap_or(error))),
                }
                if let Some(head) =
                    head::take(&mut self.buffer, request.is_head()).map_err(io::Error::other)?
                {
                    return Poll::Ready(Ok(head));
                }
            }
        })
        .await
    }
}

fn no_answer() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "it was closed before an answer",
    )
}
