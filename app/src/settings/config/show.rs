//! The effective configuration as text, without its secrets.

use super::Config;

const HIDDEN: &str = "***";

/// The same configuration with every secret replaced by stars.
#[must_use]
pub fn redacted(config: &Config) -> Config {
    let mut shown = config.clone();
    let urls = [
        &mut shown.store.url,
        &mut shown.cache.url,
        &mut shown.bus.url,
        &mut shown.telemetry.otlp_url,
    ];
    for url in urls.into_iter().flatten() {
        *url = redacted_url(url);
    }
    if let Some(secret) = &mut shown.cluster.secret {
        HIDDEN.clone_into(secret);
    }
    shown
}

/// `url` with its password, and any parameter that smells of one, replaced by stars.
#[must_use]
pub fn redacted_url(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else {
        return hide_userinfo(text);
    };
    if url.password().is_some() && url.set_password(Some(HIDDEN)).is_err() {
        return hide_userinfo(text);
    }
    if url.query().is_some_and(|query| !query.is_empty()) {
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| {
                let lower = name.to_lowercase();
                let secret = ["pass", "secret", "token", "key"]
                    .iter()
                    .any(|w| lower.contains(w));
                (
                    name.into_owned(),
                    if secret {
                        HIDDEN.to_owned()
                    } else {
                        value.into_owned()
                    },
                )
            })
            .collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.to_string()
}

/// For what is not a URL: whatever stands before an `@` may be a password.
fn hide_userinfo(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("{HIDDEN}@{rest}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        let mut config = Config::default();
        config.store.url = Some("postgres://tw:hunter2@db/tw?sslkey=hunter2&x=1".to_owned());
        config.cluster.secret = Some("hunter2".repeat(8));
        config.cache.url = Some("redis://:hunter2@cache/0".to_owned());
        config.bus.url = Some("not a url hunter2@bus".to_owned());
        let text = toml::to_string(&redacted(&config)).expect("serialises");
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("@db/tw") && text.contains("x=1"), "{text}");
    }
}
