//! Safe by default: what may be listened on while nobody needs a key.

use std::net::SocketAddr;
use std::path::Path;

use crate::settings::config::Config;

/// An address that would let strangers in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsafe {
    /// The world could change things without a key.
    #[error(
        "listen = {addr} can be reached from other machines, and no API key is configured; \
         create one with: tradewind key create admin --data {data}"
    )]
    Public {
        /// The address.
        addr: SocketAddr,
        /// The data directory.
        data: String,
    },
    /// Other machines could not prove that they belong to the system.
    #[error(
        "internal.listen = {addr} can be reached from other machines, and no secret is configured \
         that processes there could share; set cluster.secret (TRADEWIND__CLUSTER__SECRET)"
    )]
    Internal {
        /// The address.
        addr: SocketAddr,
    },
    /// A proxy would make everybody who comes look near.
    #[error(
        "internal.proxied is for experiments on one machine, and internal.listen = {addr} can be \
         reached from others; leave one of them out"
    )]
    Proxied {
        /// The address.
        addr: SocketAddr,
    },
}

/// Refuses addresses beyond loopback unless whoever comes from there can be told apart.
pub fn check(config: &Config, data: &Path, has_keys: bool) -> Result<(), Unsafe> {
    let (addr, internal) = (config.listen, config.internal.listen);
    if !addr.ip().is_loopback() && !has_keys {
        let data = data.display().to_string();
        return Err(Unsafe::Public { addr, data });
    }
    if !internal.ip().is_loopback() && config.internal.proxied {
        return Err(Unsafe::Proxied { addr: internal });
    }
    if !internal.ip().is_loopback() && config.cluster.secret.is_none() {
        return Err(Unsafe::Internal { addr: internal });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_machines_are_let_in_only_with_keys() {
        let mut config = Config::default();
        let data = Path::new("/d");
        assert_eq!(check(&config, data, false), Ok(()));
        config.listen = "0.0.0.0:80".parse().expect("an address");
        let said = check(&config, data, false)
            .expect_err("refused")
            .to_string();
        assert!(
            said.contains("tradewind key create admin --data /d"),
            "{said}"
        );
        assert_eq!(check(&config, data, true), Ok(()));
        config.listen = "[::1]:80".parse().expect("an address");
        config.internal.listen = "10.0.0.1:7070".parse().expect("an address");
        let said = check(&config, data, true).expect_err("refused").to_string();
        assert!(said.contains("TRADEWIND__CLUSTER__SECRET"), "{said}");
        config.cluster.secret = Some("s".repeat(32));
        assert_eq!(check(&config, data, false), Ok(()));
        config.internal.proxied = true;
        let said = check(&config, data, false)
            .expect_err("refused")
            .to_string();
        assert!(said.contains("internal.proxied"), "{said}");
    }
}
