//! A route with the headers of its answer made in advance: what the redirect's cache holds.

use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::domain::route::{self, Route};

/// A route, ready to answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Route", into = "Route")]
pub(crate) struct Compiled {
    /// Domain and code: what it is looked up by. Short ones stand right here, not in far memory.
    pub(crate) key: SmallVec<[u8; 24]>,
    /// The target of visitors to whom no rule applies.
    pub(crate) location: HeaderValue,
    pub(crate) cache_control: HeaderValue,
    pub(crate) status: StatusCode,
    /// Nothing but the clock decides: no rule, no limit, no password, no query to forward.
    pub(crate) plain: bool,
    /// When it ends, in microseconds since the epoch; the last moment there is if it does not.
    pub(crate) ends: i64,
    pub(crate) route: Route,
}

impl From<Route> for Compiled {
    fn from(route: Route) -> Self {
        let plain = route.enabled
            && !route.limited
            && !route.forward_query
            && route.password_version.is_none()
            && route.rules.is_empty();
        let domain = route.domain.as_deref().unwrap_or_default();
        Self {
            key: SmallVec::from_slice(key(domain, &route.code).as_bytes()),
            ends: route.expires_at.unwrap_or(i64::MAX),
            location: header(&route.url),
            cache_control: cache_control(&route),
            status: StatusCode::from_u16(route.status).unwrap_or(StatusCode::FOUND),
            plain,
            route,
        }
    }
}

impl From<Compiled> for Route {
    fn from(compiled: Compiled) -> Self {
        compiled.route
    }
}

/// The key of a code on a domain; on the default one that is the path.
pub(crate) fn key(domain: &str, code: &str) -> String {
    format!("{domain}/{code}")
}

/// The usual values are shared by all links, which spares each redirect a look into far memory.
fn cache_control(route: &Route) -> HeaderValue {
    let value = route.cache_control();
    let usual = [route::UNSTORED, route::FRESH, route::BRIEF]
        .into_iter()
        .find(|u| *u == value);
    usual.map_or_else(|| header(value), HeaderValue::from_static)
}

/// A header of text that was checked when it was taken in.
pub(crate) fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("about:blank"))
}

impl cache::Entry for Compiled {
    /// Later links have higher numbers, later states of a link higher versions.
    fn version(&self) -> u64 {
        version(self.route.num, self.route.version)
    }
}

/// One number that grows from link to link and from version to version; below 2^53.
pub(crate) fn version(num: i64, version: u32) -> u64 {
    (u64::try_from(num).unwrap_or(0) << 20) | u64::from(version.min(0xF_FFFF))
}
