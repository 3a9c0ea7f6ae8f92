//! Safe by default: what may be listened on while nobody needs a key.

use std::net::SocketAddr;
use std::path::Path;

use crate::config::Config;

/// An address that would let strangers in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{key} = {addr} can be reached from other machines, and no API key is configured; \
     create one with: tradewind key create {name} --data {data}"
)]
pub struct Unsafe {
    key: &'static str,
    addr: SocketAddr,
    name: &'static str,
    data: String,
}

/// Refuses addresses beyond loopback unless keys are configured.
pub fn check(config: &Config, data: &Path, has_keys: bool) -> Result<(), Unsafe> {
    if has_keys {
        return Ok(());
    }
    let listens = [
        ("listen", config.listen),
        ("internal.listen", config.internal.listen),
    ];
    match listens
        .into_iter()
        .find(|(_, addr)| !addr.ip().is_loopback())
    {
        Some((key, addr)) => Err(Unsafe {
            key,
            addr,
            name: "admin",
            data: data.display().to_string(),
        }),
        None => Ok(()),
    }
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
        let said = check(&config, data, false)
            .expect_err("refused")
            .to_string();
        assert!(
            said.starts_with("internal.listen = 10.0.0.1:7070"),
            "{said}"
        );
    }
}
