//! Why a request got no response, and whether it can be sent again as it is.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body::Body;
use kernel::{Code, Coded, Retry};

use super::{BoxError, Outgoing};

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendErrorKind {
    /// No connection came about; nothing was sent.
    Connect,
    /// A connection was there and nothing was sent on it.
    NotSent,
    /// The connection broke after sending had begun: the request may have taken effect.
    Lost,
}

/// A request that got no response.
pub struct SendError<B> {
    /// What kind of failure it was.
    pub kind: SendErrorKind,
    /// To which endpoint.
    pub addr: SocketAddr,
    /// What the network said.
    pub detail: String,
    /// The request; whole, unless its kind is [`SendErrorKind::Lost`].
    pub request: Box<Outgoing<B>>,
}

impl<B> SendError<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    pub(super) fn connect(addr: SocketAddr, request: Outgoing<B>, error: &io::Error) -> Self {
        Self::new(SendErrorKind::Connect, addr, request, error)
    }

    pub(super) fn exchange(addr: SocketAddr, request: Outgoing<B>, error: &io::Error) -> Self {
        let kind = if request.is_whole() {
            SendErrorKind::NotSent
        } else {
            SendErrorKind::Lost
        };
        Self::new(kind, addr, request, error)
    }

    fn new(kind: SendErrorKind, addr: SocketAddr, request: Outgoing<B>, error: &io::Error) -> Self {
        Self {
            kind,
            addr,
            detail: error.to_string(),
            request: Box::new(request),
        }
    }
}

impl<B> fmt::Debug for SendError<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}: {}", self.kind, self.addr, self.detail)
    }
}

impl<B> fmt::Display for SendError<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            SendErrorKind::Connect => write!(f, "cannot connect to {}: {}", self.addr, self.detail),
            SendErrorKind::NotSent => write!(f, "cannot send to {}: {}", self.addr, self.detail),
            SendErrorKind::Lost => {
                write!(f, "the connection to {} broke: {}", self.addr, self.detail)
            }
        }
    }
}

impl<B> std::error::Error for SendError<B> {}

impl<B> Coded for SendError<B> {
    fn code(&self) -> Code {
        Code::Unavailable
    }

    fn retry(&self) -> Retry {
        match self.kind {
            SendErrorKind::Connect | SendErrorKind::NotSent => Retry::Safe,
            SendErrorKind::Lost => Retry::IfIdempotent,
        }
    }
}
