//! The one seam where identity enters: who asks, from where, under which id.

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;
use subtle::ConstantTimeEq as _;

use crate::{Keys, Meta, ProblemReply};

/// The headers by which our own processes hand identity on.
pub mod headers {
    /// The secret that the processes of one system share.
    pub const CLUSTER: &str = "x-tradewind-cluster";
    /// Who asks: `anonymous`, `local`, `key:NAME`, or `internal`.
    pub const CALLER: &str = "x-tradewind-caller";
    /// The client's address.
    pub const CLIENT: &str = "x-tradewind-client";
    /// Epoch microseconds after which nobody waits any more.
    pub const DEADLINE: &str = "x-tradewind-deadline";
    /// Asks the gateway to say how it routed.
    pub const EXPLAIN: &str = "x-tradewind-explain";
    /// The id of the request.
    pub const REQUEST_ID: &str = "x-request-id";
}

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
        self.0.as_bytes().ct_eq(given).into()
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

/// A range of addresses, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

/// Finds out who asks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ingress {
    keys: Keys,
    cluster: Option<ClusterSecret>,
    trusted_proxies: Arc<[Network]>,
}

impl Ingress {
    /// Knows callers by `keys`.
    #[must_use]
    pub fn new(keys: Keys) -> Self {
        Self {
            keys,
            cluster: None,
            trusted_proxies: Arc::new([]),
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

    /// What is known of a request from `peer`. Takes every internal header out of `headers`.
    pub fn admit(&self, peer: IpAddr, headers: &mut HeaderMap) -> Result<Meta, ProblemReply> {
        let _ = (peer, headers, &self.keys);
        Ok(Meta::default())
    }
}
