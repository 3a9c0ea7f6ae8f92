//! Targets: which URLs a link may lead to, and their normal form.

use url::Url;

use super::host::OwnHosts;

/// The longest URL, in bytes, before and after it is brought into normal form.
pub(crate) const URL_BYTES_MAX: usize = 8 * 1024;

/// Why a URL is no target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    /// Longer than 8 KiB.
    #[error("a URL has at most 8192 bytes")]
    TooLong,
    /// Line breaks, tabs, backslashes and the like.
    #[error("a URL has no control characters and no backslashes")]
    Character,
    /// Cannot be read as an absolute URL.
    #[error("this is no absolute URL; write it as https://example.com/path")]
    Unreadable,
    /// `javascript:`, `data:`, `ftp:`, ..
    #[error("only http and https URLs can be targets")]
    Scheme,
    /// `https://bank.example@evil.example/`.
    #[error("a URL with a user name or password in it is refused: it hides the real host")]
    Credentials,
    /// No host.
    #[error("the URL has no host")]
    Host,
    /// One of our own.
    #[error("the URL leads back to this service, which would be a circle")]
    Own,
}

/// The normal form of a target: punycode host, lower-case scheme, percent-encoded, ASCII only.
pub(crate) fn normal(text: &str, own: &OwnHosts) -> Result<String, TargetError> {
    let text = text.trim_matches(' ');
    if text.len() > URL_BYTES_MAX {
        return Err(TargetError::TooLong);
    }
    // The parser drops line breaks and tabs silently and reads `\` as `/`: both have been used to
    // make one URL look like another.
    if text
        .chars()
        .any(|c| c.is_control() || c == '\\' || is_invisible(c))
    {
        return Err(TargetError::Character);
    }
    let url = Url::parse(text).map_err(|_| TargetError::Unreadable)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(TargetError::Scheme);
    }
    // `https:example.com` and `https:///example.com` are read as URLs with that host.
    if !text[url.scheme().len()..].starts_with("://")
        || text[url.scheme().len()..].starts_with(":///")
    {
        return Err(TargetError::Unreadable);
    }
    if !url.username().is_empty() || url.password().is_some() || authority(text).contains('@') {
        return Err(TargetError::Credentials);
    }
    let host = url
        .host_str()
        .filter(|h| !h.is_empty())
        .ok_or(TargetError::Host)?;
    let default_port = if url.scheme() == "http" { 80 } else { 443 };
    if own.contains(host, url.port().unwrap_or(default_port), default_port) {
        return Err(TargetError::Own);
    }
    let normal = String::from(url);
    if normal.len() > URL_BYTES_MAX {
        return Err(TargetError::TooLong);
    }
    Ok(normal)
}

fn authority(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Marks that turn the direction of text or take no room.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The target with the query of the visit appended to its own. Only what stands after the path can
/// change, so the host cannot.
pub(crate) fn with_query(target: &str, query: &str) -> String {
    if query.is_empty() {
        return target.to_owned();
    }
    let (head, fragment) = match target.split_once('#') {
        Some((head, fragment)) => (head, Some(fragment)),
        None => (target, None),
    };
    let mut out = String::with_capacity(target.len() + query.len() + 1);
    out.push_str(head);
    match head.find('?') {
        None => out.push('?'),
        Some(at) if at + 1 < head.len() && !head.ends_with('&') => out.push('&'),
        Some(_) => {}
    }
    // What came in a request line is ASCII without controls; anything else is left out.
    out.extend(query.chars().filter(|c| c.is_ascii_graphic() && *c != '#'));
    if let Some(fragment) = fragment {
        out.push('#');
        out.push_str(fragment);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn own() -> OwnHosts {
        let mut own = OwnHosts::default();
        own.add("tw.example");
        own.add("127.0.0.1:8080");
        own
    }

    #[test]
    fn hosts_are_written_in_punycode_and_lower_case() {
        let normal = |text| normal(text, &own()).expect("a target");
        assert_eq!(
            normal("HTTPS://BÜCHER.example/Ä?q=ü#x"),
            "https://xn--bcher-kva.example/%C3%84?q=%C3%BC#x"
        );
        assert_eq!(normal(" https://example.com "), "https://example.com/");
    }

    #[test]
    fn what_could_harm_a_visitor_is_refused() {
        use TargetError as E;
        for (text, error) in [
            ("javascript:alert(1)", E::Scheme),
            ("data:text/html,x", E::Scheme),
            ("ftp://example.com/", E::Scheme),
            ("vbscript:x", E::Scheme),
            ("//example.com/", E::Unreadable),
            ("example.com", E::Unreadable),
            ("https:example.com", E::Unreadable),
            ("https:///example.com", E::Unreadable),
            ("https://bank.example@evil.example/", E::Credentials),
            ("https://@evil.example/", E::Credentials),
            ("https://u:p@evil.example/", E::Credentials),
            ("https://a.example\\@evil.example/", E::Character),
            ("https://a.example/\r\nSet-Cookie: x=1", E::Character),
            ("https://a.example/\u{202e}gpj.exe", E::Character),
            ("https://tw.example/abc", E::Own),
            ("http://TW.example./abc", E::Own),
            ("http://localhost:8080/abc", E::Own),
            ("", E::Unreadable),
        ] {
            assert_eq!(normal(text, &own()), Err(error), "{text}");
        }
        let long = format!("https://example.com/{}", "a".repeat(URL_BYTES_MAX));
        assert_eq!(normal(&long, &own()), Err(E::TooLong));
    }

    #[test]
    fn a_query_is_appended_before_the_fragment() {
        assert_eq!(
            with_query("https://a.example/p#f", "x=1"),
            "https://a.example/p?x=1#f"
        );
        assert_eq!(
            with_query("https://a.example/p?y=2", "x=1"),
            "https://a.example/p?y=2&x=1"
        );
        assert_eq!(
            with_query("https://a.example/?", "x=1"),
            "https://a.example/?x=1"
        );
        assert_eq!(with_query("https://a.example/", ""), "https://a.example/");
    }

    proptest! {
        #[test]
        fn a_target_is_always_a_plain_web_url(text in "\\PC{0,60}") {
            for candidate in [text.clone(), format!("https://{text}"), format!("http://a.example/{text}")] {
                if let Ok(normal) = normal(&candidate, &own()) {
                    let url = Url::parse(&normal).expect("a normal form is a URL");
                    prop_assert!(matches!(url.scheme(), "http" | "https"));
                    prop_assert!(normal.bytes().all(|b| b.is_ascii_graphic()), "{normal}");
                    prop_assert!(url.username().is_empty() && url.password().is_none());
                    let again = super::normal(&normal, &own());
                    prop_assert_eq!(again.as_ref(), Ok(&normal));
                }
            }
        }

        #[test]
        fn no_byte_of_a_line_break_survives(before in "[a-z]{0,5}", after in "[a-z: ]{0,9}") {
            for mark in ["\r", "\n", "\r\n", "\t", "\0"] {
                let text = format!("https://a.example/{before}{mark}{after}");
                prop_assert_eq!(normal(&text, &own()), Err(TargetError::Character));
            }
        }

        #[test]
        fn no_query_of_a_visit_changes_the_host(
            path in "[a-z/]{0,8}", own_query in "(\\?[a-z=&]{0,8})?", query in "[!-~]{0,40}"
        ) {
            let target = format!("https://good.example/{path}{own_query}");
            let target = normal(&target, &own()).expect("a target");
            let url = Url::parse(&with_query(&target, &query)).expect("still a URL");
            prop_assert_eq!(url.host_str(), Some("good.example"));
            prop_assert_eq!(url.scheme(), "https");
            let before = Url::parse(&target).expect("a URL");
            prop_assert_eq!(url.path(), before.path());
        }
    }
}
