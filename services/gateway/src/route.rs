//! The route table: by host, then by the longest path prefix on a segment boundary. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use web::{Handler, Red, RouteSpec};

use crate::upstream::Upstream;

/// One route as it is given to the gateway.
pub struct Route {
    /// Which requests.
    pub spec: RouteSpec,
    /// The handler in this process; replicas found by discovery if absent.
    pub local: Option<Arc<dyn Handler>>,
}

impl Route {
    /// Requests of `spec` go to `handler` without a socket.
    #[must_use]
    pub fn local(spec: RouteSpec, handler: Arc<dyn Handler>) -> Self {
        Self {
            spec,
            local: Some(handler),
        }
    }

    /// Requests of `spec` go to replicas of the service.
    #[must_use]
    pub const fn remote(spec: RouteSpec) -> Self {
        Self { spec, local: None }
    }
}

/// Where requests of a route go.
#[derive(Clone)]
pub(crate) enum Target {
    /// A handler in this process.
    Local(Arc<dyn Handler>),
    /// Replicas of a service.
    Remote(Arc<Upstream>),
}

/// A route in the table.
pub(crate) struct Entry {
    pub(crate) spec: RouteSpec,
    pub(crate) target: Target,
    pub(crate) red: Red,
}

/// Routes that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
pub enum RouteTableError {
    /// Prefixes are paths.
    #[error("the prefix '{prefix}' of service '{service}' must start with '/'")]
    Prefix {
        /// The prefix.
        prefix: String,
        /// Of which service.
        service: &'static str,
    },
    /// Two routes take the same requests.
    #[error(
        "'{prefix}' is claimed by '{first}' and by '{second}'; give one of them another prefix"
    )]
    Twice {
        /// The prefix.
        prefix: String,
        /// Who has it.
        first: &'static str,
        /// Who wants it too.
        second: &'static str,
    },
}

/// The table.
#[derive(Default)]
pub(crate) struct RouteTable {
    any_host: Vec<Arc<Entry>>,
    by_host: HashMap<Box<str>, Vec<Arc<Entry>>>,
}

impl RouteTable {
    pub(crate) fn new(entries: Vec<Entry>) -> Result<Self, RouteTableError> {
        let mut table = Self::default();
        for entry in entries {
            let entry = Arc::new(entry);
            let spec = &entry.spec;
            if !spec.prefix.starts_with('/') {
                let (prefix, service) = (spec.prefix.clone(), spec.service);
                return Err(RouteTableError::Prefix { prefix, service });
            }
            let list = match &spec.host {
                None => &mut table.any_host,
                Some(host) => table
                    .by_host
                    .entry(host.to_ascii_lowercase().into())
                    .or_default(),
            };
            if let Some(first) = list.iter().find(|e| trimmed(e) == trimmed(&entry)) {
                return Err(RouteTableError::Twice {
                    prefix: spec.prefix.clone(),
                    first: first.spec.service,
                    second: spec.service,
                });
            }
            list.push(entry);
        }
        for list in table.by_host.values_mut().chain([&mut table.any_host]) {
            list.sort_by_key(|e| std::cmp::Reverse(trimmed(e).len()));
        }
        Ok(table)
    }

    /// The route of a request. `host` may have a port and capitals.
    pub(crate) fn find(&self, host: &str, path: &str) -> Option<&Arc<Entry>> {
        let own = if self.by_host.is_empty() {
            None
        } else {
            self.of_host(host)
        };
        let own = own.and_then(|list| list.iter().find(|e| covers(trimmed(e), path)));
        own.or_else(|| self.any_host.iter().find(|e| covers(trimmed(e), path)))
    }

    fn of_host(&self, host: &str) -> Option<&Vec<Arc<Entry>>> {
        let name = without_port(host).trim_end_matches('.');
        if name.bytes().any(|b| b.is_ascii_uppercase()) {
            return self.by_host.get(name.to_ascii_lowercase().as_str());
        }
        self.by_host.get(name)
    }

    /// Every route; within a host the longest prefix first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.by_host.values().chain([&self.any_host]).flatten()
    }
}

/// The prefix without its last slash: `/api/` and `/api` are one, and `/` is empty.
fn trimmed(entry: &Entry) -> &str {
    entry
        .spec
        .prefix
        .strip_suffix('/')
        .unwrap_or(&entry.spec.prefix)
}

fn covers(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn without_port(host: &str) -> &str {
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or(host);
    }
    host.split(':').next().unwrap_or(host)
}

/// Whether a path has a segment `.` or `..`, plain or encoded.
///
/// Whoever resolves them later would see another path than the one that was routed.
pub(crate) fn has_dot_segment(path: &str) -> bool {
    if !path.bytes().any(|b| matches!(b, b'.' | b'%')) {
        return false;
    }
    path.split('/').any(|segment| {
        let plain = segment.replace("%2e", ".").replace("%2E", ".");
        plain == "." || plain == ".."
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(host: Option<&str>, prefix: &str, service: &'static str) -> Entry {
        let handler = web::from_fn(|_| async { web::Response::default() });
        let spec = RouteSpec {
            host: host.map(str::to_owned),
            prefix: prefix.to_owned(),
            service,
        };
        Entry {
            spec,
            target: Target::Local(handler),
            red: Red::default(),
        }
    }

    fn table() -> RouteTable {
        RouteTable::new(vec![
            entry(None, "/", "links"),
            entry(None, "/api/links", "links_api"),
            entry(None, "/api/", "api"),
            entry(Some("Go.Example"), "/", "go"),
            entry(Some("go.example"), "/console", "console"),
        ])
        .unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn the_longest_prefix_on_a_segment_boundary_wins() {
        let table = table();
        let to = |path| table.find("any.example", path).map(|e| e.spec.service);
        assert_eq!(to("/api/links/x"), Some("links_api"));
        assert_eq!(to("/api/links"), Some("links_api"));
        assert_eq!(
            to("/api/linksy"),
            Some("api"),
            "not in the middle of a segment"
        );
        assert_eq!(to("/apiary"), Some("links"));
        assert_eq!(to("/"), Some("links"));
        assert_eq!(to("*"), None, "no path");
    }

    #[test]
    fn the_host_is_matched_without_port_and_case() {
        let table = table();
        let to = |host, path| table.find(host, path).map(|e| e.spec.service);
        assert_eq!(to("GO.example:8080", "/x"), Some("go"));
        assert_eq!(to("go.example.", "/console/a"), Some("console"));
        assert_eq!(to("go.example.evil", "/x"), Some("links"));
        assert_eq!(to("[::1]:80", "/api"), Some("api"));
    }

    #[test]
    fn two_routes_for_one_prefix_are_refused() {
        let twice = RouteTable::new(vec![entry(None, "/a", "x"), entry(None, "/a/", "y")]);
        let text = twice.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(text.contains("claimed by 'x' and by 'y'"), "{text}");
        assert!(RouteTable::new(vec![entry(None, "a", "x")]).is_err());
    }

    #[test]
    fn dot_segments_are_found_however_written() {
        for bad in ["/a/../b", "/..", "/./a", "/a/%2e%2E/b", "/.%2e"] {
            assert!(has_dot_segment(bad), "{bad}");
        }
        for good in ["/", "/a.b/..c", "/.well-known/x", "/a/...", "/%20"] {
            assert!(!has_dot_segment(good), "{good}");
        }
    }
}
