//! One HTTP/1.1 connection with both of its halves: the handle that sends, and the state machine
//! that does the reading and writing. Whoever holds it polls it.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::BoxError;
use super::relay::Relay;

type Driver<B> = http1::Connection<TokioIo<TcpStream>, B>;

pub(super) struct Connection<B: Body + Send + 'static> {
    sender: http1::SendRequest<B>,
    /// `None` once the connection has ended.
    driver: Option<Pin<Box<Driver<B>>>>,
    relay: Relay,
}

impl<B> Connection<B>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    pub(super) async fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) = http1::Builder::new()
            .writev(false)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        Ok(Self {
            sender,
            driver: Some(Box::pin(driver)),
            relay: Relay::new(),
        })
    }

    /// Whether an idle connection can take a request: the peer has not closed it, nor said
    /// anything unasked. Costs a system call only when the runtime has seen something arrive.
    pub(super) fn is_alive(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.is_ready()
    }

    /// Whether the exchange before is complete in both directions.
    pub(super) fn is_ready(&self) -> bool {
        self.driver.is_some() && self.sender.is_ready()
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.driver.is_none()
    }

    /// Reads and writes what can be read and written. Afterwards the driver either waits for the
    /// socket (and will wake `cx`) or has ended.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && driver.as_mut().poll(&mut self.relay.context(cx)).is_ready()
        {
            self.driver = None;
        }
    }

    /// Sends a request and waits for the head of its response. An error gives the request back
    /// when nothing of it was sent.
    pub(super) async fn exchange(
        &mut self,
        request: Request<B>,
    ) -> Result<Response<Incoming>, (hyper::Error, Option<Request<B>>)> {
        let answer = self.sender.try_send_request(request);
        // Only the driver can complete `answer`, and it is polled right before it. So `answer` needs
        // no waker: a wake from here to this same task would only cost one more poll. It must then
        // not be held back by tokio's cooperative budget either.
        let mut answer = pin!(tokio::task::coop::unconstrained(answer));
        let Self { driver, relay, .. } = self;
        let outcome = poll_fn(|cx| {
            if let Some(running) = driver
                && running.as_mut().poll(&mut relay.context(cx)).is_ready()
            {
                *driver = None;
            }
            match answer
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                Poll::Pending if driver.is_none() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        match outcome {
            Some(Ok(response)) => Ok(response),
            Some(Err(mut failed)) => {
                let unsent = failed.take_message();
                Err((failed.into_error(), unsent))
            }
            None => unreachable!("a driver that has ended has answered"),
        }
    }
}
