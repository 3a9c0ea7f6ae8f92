//! Which address a request came from when proxies stand in between.

use std::net::IpAddr;
use std::str::FromStr;

use http::{HeaderMap, HeaderName, header};
use serde::{Deserialize, Serialize};

/// A range of addresses, such as `10.0.0.0/8`; one address if there is no `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

/// The text is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a range of addresses; write one like 10.0.0.0/8 or ::1")]
pub struct NetworkError(String);

impl Network {
    /// Whether `address` is in the range. An IPv4 address written as IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.bits);
                let cut = |n: u32| n.checked_shr(shift).unwrap_or(0);
                cut(base.to_bits()) == cut(address.to_bits())
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.bits);
                let cut = |n: u128| n.checked_shr(shift).unwrap_or(0);
                cut(base.to_bits()) == cut(address.to_bits())
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let (base, bits) = text
            .split_once('/')
            .map_or((text, None), |(a, b)| (a, Some(b)));
        let base: IpAddr = base.trim().parse().map_err(|_| wrong())?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => width,
            Some(bits) => bits
                .trim()
                .parse()
                .ok()
                .filter(|b| *b <= width)
                .ok_or_else(wrong)?,
        };
        Ok(Self { base, bits })
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

/// The right-most hop of `X-Forwarded-For` that is not one of our proxies: what stands further to
/// the left was written by somebody whom nobody vouches for.
pub(super) fn client(
    peer: IpAddr,
    sent: &HeaderMap,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> IpAddr {
    let hops: Vec<&str> = sent
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .map(str::trim)
        .collect();
    let mut found = peer;
    for hop in hops.into_iter().rev() {
        let Some(address) = address_of(hop) else {
            break;
        };
        found = address;
        if !is_trusted(address) {
            break;
        }
    }
    found
}

/// An address as proxies write it: bare, or with a port.
fn address_of(hop: &str) -> Option<IpAddr> {
    hop.parse::<IpAddr>()
        .ok()
        .or_else(|| hop.parse::<std::net::SocketAddr>().ok().map(|a| a.ip()))
        .map(|a| a.to_canonical())
}

/// Takes out every header that claims to know where the request came from.
pub(super) fn strip(sent: &mut HeaderMap) {
    let claims: Vec<HeaderName> = sent
        .keys()
        .filter(|n| {
            let text = n.as_str();
            **n == header::FORWARDED || text.starts_with("x-forwarded-") || text == "x-real-ip"
        })
        .cloned()
        .collect();
    for name in claims {
        sent.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn sent(lines: &[&str]) -> HeaderMap {
        lines
            .iter()
            .map(|l| ("x-forwarded-for".parse().unwrap(), l.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_right_most_untrusted_hop_is_the_client() {
        let ours: Network = "10.0.0.0/8".parse().unwrap();
        let client = |lines| client(at("10.0.0.1"), &sent(lines), |a| ours.contains(a));
        assert_eq!(
            client(&["6.6.6.6, 1.2.3.4, 10.0.0.9"]),
            at("1.2.3.4"),
            "the left is a lie"
        );
        assert_eq!(
            client(&["6.6.6.6", "1.2.3.4"]),
            at("1.2.3.4"),
            "several lines are one list"
        );
        assert_eq!(client(&["1.2.3.4:99"]), at("1.2.3.4"));
        assert_eq!(
            client(&["1.2.3.4, junk"]),
            at("10.0.0.1"),
            "junk ends the search"
        );
        assert_eq!(
            client(&["10.1.1.1"]),
            at("10.1.1.1"),
            "all are ours: the left-most"
        );
    }

    #[test]
    fn a_network_knows_its_addresses() {
        let inside = |net: &str, a: &str| net.parse::<Network>().unwrap().contains(at(a));
        assert!(inside("10.0.0.0/8", "10.255.0.1") && !inside("10.0.0.0/8", "11.0.0.1"));
        assert!(inside("0.0.0.0/0", "9.9.9.9") && !inside("0.0.0.0/0", "::1"));
        assert!(inside("::1", "::1") && inside("fd00::/8", "fd12::1") && !inside("::1", "::2"));
        assert!(
            inside("10.0.0.0/8", "::ffff:10.0.0.1"),
            "IPv4 written as IPv6"
        );
        for bad in ["", "10.0.0.0/33", "x", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
