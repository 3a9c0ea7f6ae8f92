//! Host names in one form: lower case, punycode, no port, no dot at the end.

use url::Host;

/// A host name cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a domain is a host name such as go.example.com, without scheme, port or path")]
pub(crate) struct HostError;

/// The normal form of a host name as a person wrote it.
pub(crate) fn normal(text: &str) -> Result<String, HostError> {
    let text = text.trim().trim_end_matches('.');
    if text.is_empty() || text.contains([':', '/', '?', '#', '@', '%', ' ']) {
        return Err(HostError);
    }
    match Host::parse(text) {
        Ok(Host::Domain(name)) if name.len() <= 253 => Ok(name.to_ascii_lowercase()),
        _ => Err(HostError),
    }
}

/// The host of a `Host` header: without its port and without a dot at the end.
pub(crate) fn of_header(header: &str) -> &str {
    let bare = match header.rfind(':') {
        // The colons of an IPv6 address stand inside its brackets.
        Some(at) if !header[at..].contains(']') => &header[..at],
        _ => header,
    };
    bare.strip_suffix('.').unwrap_or(bare)
}

/// The port of a `Host` header.
pub(crate) fn port_of_header(header: &str) -> Option<u16> {
    let at = header
        .rfind(':')
        .filter(|at| !header[*at..].contains(']'))?;
    header[at + 1..].parse().ok()
}

/// The hosts that are this service itself: a link to one of them would go round in a circle.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnHosts(Vec<(String, Option<u16>)>);

impl OwnHosts {
    /// Adds a host, as in a `Host` header. With a port, only that port is ours.
    pub(crate) fn add(&mut self, header: &str) {
        let host = of_header(header).to_ascii_lowercase();
        if !host.is_empty() {
            self.0.push((host, port_of_header(header)));
        }
    }

    /// Whether `host` at `port` is this service. `default_port`: the port of the scheme.
    pub(crate) fn contains(&self, host: &str, port: u16, default_port: u16) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.0.iter().any(|(own, own_port)| {
            let same = own == host || (is_loopback(own) && is_loopback(host));
            // A host without a port is ours on the usual ports, whatever the scheme.
            same && own_port.map_or(port == default_port, |p| p == port)
        })
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host == "[::1]"
        || host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_script_and_final_dot_make_no_difference() {
        for text in ["Bücher.Example", "bücher.example.", "xn--bcher-kva.example"] {
            assert_eq!(
                normal(text).as_deref(),
                Ok("xn--bcher-kva.example"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_host_name_is_refused() {
        for bad in [
            "",
            "http://a.example",
            "a.example:80",
            "a/b",
            "u@a.example",
            "127.0.0.1",
            "a b",
        ] {
            assert_eq!(normal(bad), Err(HostError), "{bad}");
        }
    }

    #[test]
    fn a_header_loses_its_port() {
        assert_eq!(of_header("a.example:8080"), "a.example");
        assert_eq!(of_header("[::1]:8080"), "[::1]");
        assert_eq!(of_header("[::1]"), "[::1]");
        assert_eq!(port_of_header("a.example:8080"), Some(8080));
        assert_eq!(port_of_header("[::1]"), None);
    }

    #[test]
    fn every_name_of_this_machine_is_the_same_machine() {
        let mut own = OwnHosts::default();
        own.add("127.0.0.1:8080");
        assert!(own.contains("localhost", 8080, 80));
        assert!(
            !own.contains("localhost", 9000, 80),
            "another port is another server"
        );
        assert!(!own.contains("example.com", 8080, 80));
    }
}
