//! What is known of a request besides its content: who asks, from where, under which id.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use axum::extract::FromRequestParts;
use http::HeaderValue;
use http::request::Parts;
use kernel::Principal;
use telemetry::TraceContext;

use crate::{Seen, hex};

/// The address of the client that asked, as far as it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddr(pub IpAddr);

/// The id under which a request is logged everywhere. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(pub(crate) RequestIdKind);

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum RequestIdKind {
    /// Made here: a random prefix of the process and a counter.
    Own(u64, u64),
    /// Came with the request, and is sane.
    Given(HeaderValue),
}

/// The length of an id that is made here: 32 hexadecimal digits.
const OWN_CHARS: usize = 32;

impl RequestId {
    /// The id as a header.
    #[must_use]
    pub fn header_value(&self) -> HeaderValue {
        match &self.0 {
            RequestIdKind::Given(value) => value.clone(),
            RequestIdKind::Own(..) => HeaderValue::from_bytes(self.text().as_ref())
                .expect("hexadecimal digits are a header value"),
        }
    }

    /// The id as text: at most 64 visible ASCII characters.
    #[must_use]
    pub fn text(&self) -> RequestIdText<'_> {
        match &self.0 {
            RequestIdKind::Given(value) => RequestIdText::Given(value.as_bytes()),
            RequestIdKind::Own(prefix, count) => RequestIdText::Own(digits(*prefix, *count)),
        }
    }

    /// A number that differs from request to request, to sample by.
    pub(crate) fn sample(&self) -> u64 {
        match &self.0 {
            RequestIdKind::Own(_, count) => *count,
            RequestIdKind::Given(value) => value
                .as_bytes()
                .iter()
                .fold(0, |sum, b| sum * 31 % 0xFFFF_FFFB + u64::from(*b)),
        }
    }
}

/// The text of a [`RequestId`], without an allocation.
#[derive(Debug)]
pub enum RequestIdText<'a> {
    /// Made here.
    Own([u8; OWN_CHARS]),
    /// Came with the request.
    Given(&'a [u8]),
}

impl AsRef<[u8]> for RequestIdText<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Own(digits) => digits,
            Self::Given(text) => text,
        }
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self(RequestIdKind::Own(0, 0))
    }
}

fn digits(prefix: u64, count: u64) -> [u8; OWN_CHARS] {
    let mut out = [0; OWN_CHARS];
    hex(&mut out[..16], &prefix.to_be_bytes());
    hex(&mut out[16..], &count.to_be_bytes());
    out
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.header_value().to_str().map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Everything that [`crate::Ingress`] found out about a request: one request extension.
#[derive(Debug, Clone)]
pub struct Meta {
    /// Who asks.
    pub caller: Principal,
    /// From where.
    pub client: ClientAddr,
    /// Under which id.
    pub request_id: RequestId,
    /// The span that this request is; children continue it.
    pub trace: TraceContext,
    /// A known caller asks how the request is routed.
    pub explain: bool,
    /// Another process of this system sent it.
    pub from_cluster: bool,
    /// The number that the process of ours which handed it on gave it, the same for every replica
    /// that it asks; 0 if the request comes from elsewhere.
    pub hop: u64,
    /// Another replica was asked before, and may have acted on it.
    pub again: bool,
    /// When it came.
    pub arrived: Instant,
    /// Who is at the other end of the connection: the client, or a proxy.
    pub peer: IpAddr,
    /// Which interesting headers it had when it came.
    pub seen: Seen,
}

impl Meta {
    /// What is known of `request`; nothing, if it came past no ingress.
    #[must_use]
    pub fn of<B>(request: &http::Request<B>) -> Self {
        Self::in_extensions(request.extensions())
    }

    /// The same, of a request without its body.
    #[must_use]
    pub fn in_parts(parts: &Parts) -> Self {
        Self::in_extensions(&parts.extensions)
    }

    pub(crate) fn in_extensions(extensions: &http::Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }
}

impl Default for Meta {
    fn default() -> Self {
        Self {
            caller: Principal::ANONYMOUS,
            client: ClientAddr(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            request_id: RequestId::default(),
            trace: TraceContext::NONE,
            explain: false,
            from_cluster: false,
            hop: 0,
            again: false,
            arrived: Instant::now(),
            peer: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            seen: Seen::default(),
        }
    }
}

macro_rules! extract_from_meta {
    ($($type:ty => $pick:expr;)+) => {$(
        impl<S: Send + Sync> FromRequestParts<S> for $type {
            type Rejection = std::convert::Infallible;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
                let pick: fn(Meta) -> Self = $pick;
                Ok(pick(Meta::in_extensions(&parts.extensions)))
            }
        }
    )+};
}

extract_from_meta! {
    Meta => |meta| meta;
    ClientAddr => |meta| meta.client;
    RequestId => |meta| meta.request_id;
}
