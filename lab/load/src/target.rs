//! What is asked: one URL, read strictly.

use http::Uri;
use http::uri::Authority;

/// A URL that can be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    authority: Authority,
    uri: Uri,
}

/// Why a text is no [`Target`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It asks for TLS.
    #[error(
        "'{0}' asks for TLS, and only http:// can be loaded; put the load behind the TLS proxy"
    )]
    Tls(String),
    /// It is no absolute http URL.
    #[error("'{0}' is no URL; write http://HOST:PORT/PATH")]
    Malformed(String),
    /// It carries a user or a password.
    #[error("a URL carries no user or password here; send a header instead")]
    Credentials,
}

impl Target {
    /// Reads an absolute `http://` URL.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let malformed = || TargetError::Malformed(text.chars().take(200).collect());
        let uri: Uri = text.trim().parse().map_err(|_| malformed())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(TargetError::Tls(text.chars().take(200).collect())),
            _ => return Err(malformed()),
        }
        let authority = uri.authority().cloned().ok_or_else(malformed)?;
        if authority.as_str().contains('@') {
            return Err(TargetError::Credentials);
        }
        if authority.host().is_empty() || authority.port_u16() == Some(0) {
            return Err(malformed());
        }
        Ok(Self { authority, uri })
    }

    /// Host and port as written, for the `Host` header.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Host and port to connect to.
    pub(crate) fn address(&self) -> String {
        let port = self.authority.port_u16().unwrap_or(80);
        format!("{}:{port}", self.authority.host())
    }

    /// The whole URL.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_where_to_connect() {
        for (text, address) in [
            ("http://127.0.0.1:8080/a?b=c", "127.0.0.1:8080"),
            ("http://localhost", "localhost:80"),
            ("http://[::1]:9/", "[::1]:9"),
        ] {
            assert_eq!(
                Target::parse(text).map(|target| target.address()),
                Ok(address.to_owned())
            );
        }
    }

    #[test]
    fn what_cannot_be_loaded_is_refused() {
        assert!(matches!(
            Target::parse("https://a/"),
            Err(TargetError::Tls(_))
        ));
        assert_eq!(
            Target::parse("http://u:p@a/"),
            Err(TargetError::Credentials)
        );
        for text in [
            "",
            "a",
            "localhost:8080/a",
            "/a",
            "ftp://a/",
            "http://",
            "http://a:0/",
            "http://a b/",
        ] {
            assert!(
                matches!(Target::parse(text), Err(TargetError::Malformed(_))),
                "{text}"
            );
        }
    }
}
