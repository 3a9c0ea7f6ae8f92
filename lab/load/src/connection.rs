//! Connections that are kept: one request at a time on HTTP/1.1, several on HTTP/2.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kernel::Tasks;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use crate::plan::Protocol;
use crate::recorder::Kind;

/// How long opening a connection may take.
pub(crate) const OPEN_WITHIN: Duration = Duration::from_secs(3);
/// What HTTP/2 may receive unasked, so that a window never paces a load.
const WINDOW_BYTES: u32 = 1 << 20;

pub(crate) type Body = Full<Bytes>;

/// The sending side of an open connection.
pub(crate) enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

/// A request that failed, and in which words.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) kind: Kind,
    pub(crate) why: String,
}

/// Where a connection leads, and the connection while it is open.
pub(crate) struct Link {
    address: String,
    protocol: Protocol,
    tasks: Tasks,
    /// HTTP/1.1: the connection while nobody uses it. HTTP/2: the one that all share.
    slot: Mutex<Option<Sender>>,
}

impl Link {
    pub(crate) fn new(address: String, protocol: Protocol, tasks: Tasks) -> Self {
        Self {
            address,
            protocol,
            tasks,
            slot: Mutex::new(None),
        }
    }

    /// The connection, opened if it is not; and whether it had to be.
    pub(crate) async fn sender(&self) -> Result<(Sender, bool), Failed> {
        let mut slot = self.slot.lock().await;
        if let Some(mut sender) = slot.take()
            && sender.becomes_ready().await
        {
            *slot = sender.shared();
            return Ok((sender, false));
        }
        let opening = tokio::time::timeout(OPEN_WITHIN, self.open()).await;
        let sender = opening
            .unwrap_or_else(|_| Err(format!("no connection within {} s", OPEN_WITHIN.as_secs())))
            .map_err(|why| Failed {
                kind: Kind::Connect,
                why,
            })?;
        *slot = sender.shared();
        Ok((sender, true))
    }

    /// Opens the connection before it is needed.
    pub(crate) async fn open_ahead(&self) -> Result<(), Failed> {
        let (sender, _) = self.sender().await?;
        self.keep(sender).await;
        Ok(())
    }

    /// Keeps a connection of HTTP/1.1, whose answer was read to its end, for the next request.
    pub(crate) async fn keep(&self, sender: Sender) {
        if matches!(sender, Sender::Http1(_)) {
            *self.slot.lock().await = Some(sender);
        }
    }

    async fn open(&self) -> Result<Sender, String> {
        let stream = TcpStream::connect(&self.address)
            .await
            .map_err(|error| error.to_string())?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        let io = TokioIo::new(stream);
        Ok(match self.protocol {
            Protocol::Http1 => {
                let (sender, connection) =
                    http1::handshake(io).await.map_err(|error| words(&error))?;
                // How it ended is told to the request that it ended.
                self.tasks.spawn(async { drop(connection.await) });
                Sender::Http1(sender)
            }
            Protocol::Http2 => {
                let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                    .initial_stream_window_size(WINDOW_BYTES)
                    .initial_connection_window_size(WINDOW_BYTES * 16)
                    .handshake(io)
                    .await
                    .map_err(|error| words(&error))?;
                self.tasks.spawn(async { drop(connection.await) });
                Sender::Http2(sender)
            }
        })
    }
}

impl Sender {
    /// Whether it can take a request: `false` once it is closed.
    async fn becomes_ready(&mut self) -> bool {
        let ready = match self {
            Self::Http1(sender) => sender.is_ready(),
            Self::Http2(sender) => sender.is_ready(),
        };
        if ready {
            return true;
        }
        // A server that answered before it took the whole request may never take the rest.
        let waited = tokio::time::timeout(OPEN_WITHIN, async {
            match self {
                Self::Http1(sender) => sender.ready().await.is_ok(),
                Self::Http2(sender) => sender.ready().await.is_ok(),
            }
        });
        waited.await.unwrap_or(false)
    }

    /// A copy, where several may send at once.
    fn shared(&self) -> Option<Self> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(sender) => Some(Self::Http2(sender.clone())),
        }
    }

    /// Sends a request and waits for the head of its answer. The error has the request in it when
    /// nothing of it was sent.
    pub(crate) async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Body>>> {
        match self {
            Self::Http1(sender) => sender.try_send_request(request).await,
            Self::Http2(sender) => sender.try_send_request(request).await,
        }
    }
}

impl From<&hyper::Error> for Failed {
    fn from(error: &hyper::Error) -> Self {
        let broke = error.is_incomplete_message() || error.is_closed() || error.is_canceled();
        let kind = match broke || is_io(error) {
            true => Kind::Closed,
            false => Kind::Protocol,
        };
        Self {
            kind,
            why: words(error),
        }
    }
}

fn is_io(error: &hyper::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error.is::<std::io::Error>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// An error with its causes, in one line.
fn words(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}
