//! A route with the headers of its answer made in advance: what the redirect's cache holds.

use http::{HeaderValue, StatusCode};
use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::route::{self, Route};

/// The usual values are shared by all links, which spares each redirect a look into far memory.
static USUAL: [HeaderValue; 3] = [
    HeaderValue::from_static(route::UNSTORED),
    HeaderValue::from_static(route::FRESH),
    HeaderValue::from_static(route::BRIEF),
];

/// A route, ready to answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Route", into = "Route")]
pub(crate) struct Compiled {
    /// Domain and code: what it is looked up by.
    pub(crate) key: Box<str>,
    /// The target of visitors to whom no rule applies.
    pub(crate) location: HeaderValue,
    pub(crate) cache_control: HeaderValue,
    pub(crate) status: StatusCode,
    /// Absent if more than the clock decides: a rule, a limit, a password, a query to forward.
    pub(crate) plain: Option<Plain>,
    pub(crate) route: Route,
}

/// What the redirect of a route needs that nothing but the clock decides on, its texts aside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain {
    /// The link's number.
    link: i64,
    /// When it ends, in microseconds since the epoch; the last moment there is if it does not.
    ends: i64,
    status: StatusCode,
    /// Which of the usual values its `Cache-Control` is.
    usual: u8,
}

/// A redirect that may be answered at once.
pub(crate) struct Ready {
    /// The link's number.
    pub(crate) link: i64,
    pub(crate) status: StatusCode,
    pub(crate) location: HeaderValue,
    pub(crate) cache_control: HeaderValue,
}

impl Compiled {
    /// Its redirect, if the clock alone decides, and allows it at `now`.
    pub(crate) fn ready(&self, now: Timestamp) -> Option<Ready> {
        let location = || self.location.clone();
        self.plain?.ready(now, location, &self.cache_control)
    }
}

impl Plain {
    fn new(route: &Route, status: StatusCode) -> Option<Self> {
        let is_plain = route.enabled
            && !route.limited
            && !route.forward_query
            && route.password_version.is_none()
            && route.rules.is_empty();
        is_plain.then(|| Self {
            link: route.num,
            ends: route.expires_at.unwrap_or(i64::MAX),
            status,
            usual: usual(route).map_or(u8::MAX, |(number, _)| number),
        })
    }

    /// The redirect to `location`, if it is on at `now`. `own` is its `Cache-Control` if that is none
    /// of the usual ones, and is not looked at otherwise.
    pub(crate) fn ready(
        &self,
        now: Timestamp,
        location: impl FnOnce() -> HeaderValue,
        own: &HeaderValue,
    ) -> Option<Ready> {
        let usual = USUAL.get(usize::from(self.usual));
        (now.micros() < self.ends).then(|| Ready {
            link: self.link,
            status: self.status,
            location: location(),
            cache_control: usual.unwrap_or(own).clone(),
        })
    }
}

impl From<Route> for Compiled {
    fn from(route: Route) -> Self {
        let domain = route.domain.as_deref().unwrap_or_default();
        let status = StatusCode::from_u16(route.status).unwrap_or(StatusCode::FOUND);
        let own = || header(route.cache_control());
        Self {
            key: key(domain, &route.code).into(),
            location: header(&route.url),
            cache_control: usual(&route).map_or_else(own, |(_, value)| value.clone()),
            status,
            plain: Plain::new(&route, status),
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

/// The `Cache-Control` of a route with its number, if it is one of the usual ones.
fn usual(route: &Route) -> Option<(u8, &'static HeaderValue)> {
    let value = route.cache_control();
    (0..).zip(&USUAL).find(|(_, usual)| *usual == value)
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
