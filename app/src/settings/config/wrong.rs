//! What is readable and yet wrong: the key, and what to do.

use std::collections::BTreeMap;

use kernel::nearest;

use super::{Config, HandOver, Names, Topology, redacted_url};

const REPLICAS_MAX: u32 = 64;
const STORE_HINT: &str = "sqlite, or postgres://user:password@host:5432/database";

/// A key, and what is wrong about its value.
type Wrong = (String, String);

impl Config {
    /// The first mistake that no type tells.
    pub(super) fn wrong(&self, names: &Names) -> Option<Wrong> {
        self.wrong_replicas(names)
            .or_else(|| self.wrong_value())
            .or_else(|| self.wrong_url())
            .or_else(|| self.wrong_place(names))
    }

    fn wrong_replicas(&self, names: &Names) -> Option<Wrong> {
        let all = &names.replicated;
        self.replicas.iter().find_map(|(service, count)| {
            let hint = if !all.contains(&service.as_str()) {
                let all = all.join(", ");
                format!("'{service}' cannot have replicas; those that can: {all}")
            } else if !(1..=REPLICAS_MAX).contains(count) {
                format!("{count} replicas; choose 1 to {REPLICAS_MAX}")
            } else if *count > 1 && self.topology == Topology::Together {
                "replicas are processes of their own; add --apart (topology = \"apart\")".to_owned()
            } else {
                return None;
            };
            Some((format!("replicas.{service}"), hint))
        })
    }

    fn wrong_value(&self) -> Option<Wrong> {
        let wrong = |key: &str, hint: String| Some((key.to_owned(), hint));
        if self.topology == Topology::Apart && self.hand_over == HandOver::Strict {
            let hint = "strict is for one process; apart already goes through the codecs";
            return wrong("hand_over", hint.to_owned());
        }
        if let Err(error) = self.proxies() {
            return wrong("trusted_proxies", error.to_string());
        }
        if let Err(error) = telemetry::log::check(&self.log.to_telemetry()) {
            return wrong("log.level", error.to_string());
        }
        let secret = self.cluster.secret.as_ref();
        if secret.is_some_and(|secret| secret.len() < 32) {
            let hint = "the cluster secret is too short; use at least 32 random characters";
            return wrong("cluster.secret", hint.to_owned());
        }
        if !(0.0..=100.0).contains(&self.telemetry.sample_percent) {
            let hint = "a share in percent lies between 0 and 100".to_owned();
            return wrong("telemetry.sample_percent", hint);
        }
        None
    }

    fn wrong_url(&self) -> Option<Wrong> {
        let checks: [(&str, &Option<String>, &[&str], &str); 4] = [
            (
                "store.url",
                &self.store.url,
                &["sqlite", "postgres", "postgresql"],
                STORE_HINT,
            ),
            (
                "cache.url",
                &self.cache.url,
                &["redis", "memory"],
                "redis://host:port/0 or memory",
            ),
            (
                "bus.url",
                &self.bus.url,
                &["nats", "mesh"],
                "nats://host:port or mesh",
            ),
            (
                "telemetry.otlp_url",
                &self.telemetry.otlp_url,
                &["http"],
                "http://host:4318",
            ),
        ];
        for (key, value, schemes, example) in checks {
            let Some(text) = value else { continue };
            let scheme = text
                .split_once(':')
                .map_or(text.as_str(), |(scheme, _)| scheme);
            let bare = matches!(scheme, "sqlite" | "memory" | "mesh") && !text.contains("//");
            if !schemes.contains(&scheme) || (!bare && url::Url::parse(text).is_err()) {
                let shown = redacted_url(text);
                return Some((
                    key.to_owned(),
                    format!("cannot use '{shown}'; write {example}"),
                ));
            }
        }
        None
    }

    /// Where others are: only services that there are, each found in one way.
    fn wrong_place(&self, names: &Names) -> Option<Wrong> {
        let (addresses, dns) = (&self.discovery.addresses, &self.discovery.dns);
        unknown(names, "discovery.addresses", addresses)
            .or_else(|| unknown(names, "discovery.dns", dns))
            .or_else(|| {
                let wrong = dns.iter().find(|(_, name)| !is_host_and_port(name));
                let (service, name) = wrong?;
                let hint = format!("'{name}' cannot be resolved; write host:port");
                Some((format!("discovery.dns.{service}"), hint))
            })
            .or_else(|| {
                let twice = dns
                    .keys()
                    .find(|service| addresses.contains_key(*service))?;
                let hint = format!("{twice} is both written down and in DNS; keep one of them");
                Some((format!("discovery.dns.{twice}"), hint))
            })
    }
}

/// The first service in `section` that there is not.
fn unknown<T>(names: &Names, section: &str, places: &BTreeMap<String, T>) -> Option<Wrong> {
    let mut known = names.placed.clone();
    known.sort_unstable();
    let service = places.keys().find(|name| !known.contains(&name.as_str()))?;
    let hint = match nearest(service, known.iter().copied()).first() {
        Some(near) => format!("there is no such service; did you mean {near}?"),
        None => format!("there is no such service; there are {}", known.join(", ")),
    };
    Some((format!("{section}.{service}"), hint))
}

fn is_host_and_port(text: &str) -> bool {
    text.rsplit_once(':')
        .is_some_and(|(host, port)| port.parse::<u16>().is_ok() && url::Host::parse(host).is_ok())
}
