//! The one seam where identity enters: who asks, from where, under which id.

mod forwarded;
mod scan;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use kernel::{Code, Principal, Random};
use subtle::ConstantTimeEq as _;
use telemetry::TraceContext;

pub use forwarded::{Network, NetworkError};
pub use scan::Seen;

use crate::meta::RequestIdKind;
use crate::{ClientAddr, Keys, Meta, ProblemReply, RequestId};

/// The headers by which our own processes hand identity on.
pub mod headers {
    /// All of them start with this.
    pub const PREFIX: &str = "x-tradewind-";
    /// The secret that the processes of one system share.
    pub const CLUSTER: &str = "x-tradewind-cluster";
    /// Who asks, as [`kernel::Principal::to_text`] writes it.
    pub const CALLER: &str = "x-tradewind-caller";
    /// The client's address.
    pub const CLIENT: &str = "x-tradewind-client";
    /// Asks the gateway to say how it routed.
    pub const EXPLAIN: &str = "x-tradewind-explain";
    /// Another replica was asked before, and may have acted on the request.
    pub const AGAIN: &str = "x-tradewind-again";
    /// The id of the request.
    pub const REQUEST_ID: &str = "x-request-id";
}

/// The longest request id that is taken over from a request.
const REQUEST_ID_CHARS_MAX: usize = 64;

/// The secret that the processes of one system share; shown nowhere.
#[derive(Clone)]
pub struct ClusterSecret(Arc<str>);

impl ClusterSecret {
    /// The secret `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether `given` is it; takes the same time either way.
    #[must_use]
    pub fn matches(&self, given: &[u8]) -> bool {
        !self.0.is_empty() && bool::from(self.0.as_bytes().ct_eq(given))
    }

    /// The secret, to be sent to another process of the system.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ClusterSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClusterSecret(..)")
    }
}

/// Finds out who asks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ingress {
    keys: Keys,
    cluster: Option<ClusterSecret>,
    trusted_proxies: Arc<[Network]>,
    ids: Arc<Ids>,
}

#[derive(Debug)]
struct Ids {
    prefix: u64,
    next: AtomicU64,
}

impl Ingress {
    /// Knows callers by `keys`.
    #[must_use]
    pub fn new(keys: Keys, random: &dyn Random) -> Self {
        let ids = Ids {
            prefix: random.next_u64(),
            next: AtomicU64::new(random.next_u64() >> 32),
        };
        Self {
            keys,
            cluster: None,
            trusted_proxies: Arc::new([]),
            ids: Arc::new(ids),
        }
    }

    /// Also believes the internal headers of whoever sends this secret.
    #[must_use]
    pub fn with_cluster(mut self, secret: ClusterSecret) -> Self {
        self.cluster = Some(secret);
        self
    }

    /// Also believes the `X-Forwarded-For` that these proxies write.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: &[Network]) -> Self {
        self.trusted_proxies = proxies.into();
        self
    }

    /// What is known of `request`, which came from `peer`.
    ///
    /// Unless the request shows the cluster secret, every internal header is taken out of it, and
    /// so is every forwarding header unless the peer is a trusted proxy.
    pub fn admit<B>(&self, peer: IpAddr, request: &mut Request<B>) -> Result<Meta, ProblemReply> {
        self.admit_seen(peer, request, Seen::scan(request.headers()), Instant::now())
    }

    pub(crate) fn admit_seen<B>(
        &self,
        peer: IpAddr,
        request: &mut Request<B>,
        seen: Seen,
        arrived: Instant,
    ) -> Result<Meta, ProblemReply> {
        let request_id = self.request_id(request.headers(), seen);
        let mut meta = Meta {
            caller: Principal::ANONYMOUS,
            client: ClientAddr(peer),
            request_id,
            trace: TraceContext::NONE,
            explain: false,
            from_cluster: false,
            hop: 0,
            again: false,
            arrived,
            peer,
            seen,
        };
        if seen.has(Seen::INTERNAL) && self.is_internal(request.headers()) {
            self.believe(&mut meta, request.headers());
            return Ok(meta);
        }
        if seen.has(Seen::FORWARDED) {
            if self.is_trusted(peer) {
                meta.client = ClientAddr(forwarded::client(peer, request.headers(), |hop| {
                    self.is_trusted(hop)
                }));
            } else {
                forwarded::strip(request.headers_mut());
            }
        }
        meta.caller = self.identify(request.uri(), request.headers(), seen)?;
        if seen.has(Seen::INTERNAL) {
            let asked = request.headers().contains_key(headers::EXPLAIN);
            meta.explain = asked && meta.caller.is_known();
            strip_internal(request.headers_mut());
        }
        Ok(meta)
    }

    fn is_internal(&self, sent: &HeaderMap) -> bool {
        let Some(secret) = &self.cluster else {
            return false;
        };
        sent.get(headers::CLUSTER)
            .is_some_and(|given| secret.matches(given.as_bytes()))
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|n| n.contains(address))
    }

    /// Takes over what another process of ours says.
    fn believe(&self, meta: &mut Meta, sent: &HeaderMap) {
        let text = |name: &str| sent.get(name).and_then(|v| v.to_str().ok());
        // Who sends the secret and names nobody speaks for itself. Who names somebody that is not known here speaks
        // for nobody.
        meta.caller = match sent.get(headers::CALLER) {
            Some(who) => Principal::parse(who.to_str().unwrap_or_default()),
            None => Principal::INTERNAL,
        };
        if let Some(client) = text(headers::CLIENT).and_then(|t| t.parse().ok()) {
            meta.client = ClientAddr(client);
        }
        meta.explain = sent.contains_key(headers::EXPLAIN);
        meta.again = sent.contains_key(headers::AGAIN);
        meta.from_cluster = true;
    }

    fn identify(&self, uri: &Uri, sent: &HeaderMap, seen: Seen) -> Result<Principal, ProblemReply> {
        if seen.has(Seen::AUTHORIZATION)
            && let Some(key) = bearer(sent)
            && !self.keys.is_open()
        {
            return match self.keys.owner(key) {
                Some(owner) => Ok(owner),
                None => Err(ProblemReply::new(
                    Code::Unauthenticated,
                    "this API key is not known; it may have been revoked",
                )),
            };
        }
        if !self.keys.is_open() || (seen.has(Seen::BROWSER) && !is_own_page(uri, sent)) {
            return Ok(Principal::ANONYMOUS);
        }
        Ok(Principal::LOCAL)
    }

    fn request_id(&self, sent: &HeaderMap, seen: Seen) -> RequestId {
        if seen.has(Seen::REQUEST_ID)
            && let Some(given) = sent.get(headers::REQUEST_ID)
            && is_sane_id(given)
        {
            return RequestId(RequestIdKind::Given(given.clone()));
        }
        let count = self.ids.next.fetch_add(1, Ordering::Relaxed);
        RequestId(RequestIdKind::Own(self.ids.prefix, count))
    }
}

fn bearer(sent: &HeaderMap) -> Option<&str> {
    let value = sent.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && Keys::looks_like_one(key)).then_some(key)
}

fn is_sane_id(given: &HeaderValue) -> bool {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=REQUEST_ID_CHARS_MAX).contains(&given.len()) && given.as_bytes().iter().all(plain)
}

/// Whether a browser asks from a page that this machine served.
///
/// Without keys everyone on the machine may do everything, and a browser is on the machine too:
/// a foreign page must not be able to use that, neither across origins nor by rebinding its name.
fn is_own_page(uri: &Uri, sent: &HeaderMap) -> bool {
    if let Some(origin) = sent.get(header::ORIGIN) {
        let host = origin
            .to_str()
            .ok()
            .and_then(|o| o.split_once("://"))
            .map(|(_, rest)| rest);
        return host.is_some_and(is_loopback_name);
    }
    match sent.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => {
            let host = sent.get(header::HOST).and_then(|h| h.to_str().ok());
            host.or_else(|| uri.authority().map(|a| a.as_str()))
                .is_some_and(is_loopback_name)
        }
        _ => false,
    }
}

fn is_loopback_name(authority: &str) -> bool {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next() == Some("::1");
    }
    let host = authority.split(':').next().unwrap_or_default();
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|a| a.is_loopback())
}

fn strip_internal(sent: &mut HeaderMap) {
    let ours: Vec<HeaderName> = sent
        .keys()
        .filter(|n| n.as_str().starts_with(headers::PREFIX))
        .cloned()
        .collect();
    for name in ours {
        sent.remove(name);
    }
}

/// Refuses what no honest client sends: a request that two readers could read differently.
pub(crate) fn check_framing<B>(request: &Request<B>, seen: Seen) -> Result<(), ProblemReply> {
    let wrong = if seen.has(Seen::SECOND_HOST) {
        "there are several Host headers; send one"
    } else if request.version() == http::Version::HTTP_11 && !seen.has(Seen::HOST) {
        "there is no Host header; HTTP/1.1 needs one"
    } else if seen.has(Seen::TRANSFER_ENCODING) && seen.has(Seen::CONTENT_LENGTH) {
        "there are both Content-Length and Transfer-Encoding; send one"
    } else if request.method() == http::Method::CONNECT {
        return Err(
            ProblemReply::new(Code::BadRequest, "this is no forward proxy").with_status(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "Method not allowed",
            ),
        );
    } else {
        return Ok(());
    };
    Err(ProblemReply::new(Code::BadRequest, wrong))
}
