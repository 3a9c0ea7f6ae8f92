//! Header hygiene: what is for one hop goes no further, and what we say of ourselves is ours alone.

use std::fmt::Write as _;
use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use telemetry::TraceContext;
use web::{Caller, Meta, Seen, headers};

use crate::config::ForwardedStyle;

/// Headers that concern one connection only (RFC 9110, section 7.6.1).
static HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
const HOP: Seen = Seen::HOP;

static CALLER: HeaderName = HeaderName::from_static(headers::CALLER);
static CLIENT: HeaderName = HeaderName::from_static(headers::CLIENT);
static CLUSTER: HeaderName = HeaderName::from_static(headers::CLUSTER);
pub(super) static AGAIN: HeaderName = HeaderName::from_static(headers::AGAIN);
static REQUEST_ID: HeaderName = HeaderName::from_static(headers::REQUEST_ID);
static TRACEPARENT: HeaderName = HeaderName::from_static(TraceContext::HEADER);
static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Takes out what concerns one connection only, and what `Connection` names besides.
pub(super) fn strip_hop_by_hop(map: &mut HeaderMap, seen: Seen) {
    if !seen.has(HOP | Seen::TRANSFER_ENCODING | Seen::UPGRADE) {
        return;
    }
    let named: Vec<HeaderName> = map
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .filter(|name| !is_protected(name))
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        map.remove(name);
    }
}

/// What a client must not be able to take out by naming it in `Connection`.
fn is_protected(name: &HeaderName) -> bool {
    *name == header::HOST
        || *name == header::CONTENT_LENGTH
        || name.as_str().starts_with(headers::PREFIX)
        || name.as_str().starts_with("x-forwarded-")
}

/// What a service is told besides what the client sent.
pub(super) struct Told<'a> {
    pub(super) meta: &'a Meta,
    pub(super) cluster: Option<&'a HeaderValue>,
    pub(super) style: ForwardedStyle,
}

/// Readies the head of a request for a service: origin form, one host, who asks and from where.
pub(super) fn to_service(map: &mut HeaderMap, uri: &mut Uri, told: &Told<'_>) {
    let meta = told.meta;
    strip_hop_by_hop(map, meta.seen);
    if uri.authority().is_some() {
        to_origin_form(map, uri);
    }
    if meta.from_cluster {
        for name in [
            headers::AGAIN,
            headers::CALLER,
            headers::CLIENT,
            headers::CLUSTER,
            headers::EXPLAIN,
        ] {
            map.remove(name);
        }
    }
    // Room for all that is added, at once: growing a header map hashes it anew.
    map.reserve(8);
    let client = address(meta.client.0);
    match told.style {
        ForwardedStyle::XForwarded => x_forwarded(map, meta, &client),
        ForwardedStyle::Forwarded => forwarded(map, meta),
        ForwardedStyle::Both => {
            x_forwarded(map, meta, &client);
            forwarded(map, meta);
        }
    }
    map.insert(&REQUEST_ID, meta.request_id.header_value());
    if meta.trace.is_some() {
        map.insert(&TRACEPARENT, traceparent(&meta.trace));
    }
    if let Some(secret) = told.cluster {
        map.insert(&CLUSTER, secret.clone());
        map.insert(&CALLER, caller(&meta.caller));
        map.insert(&CLIENT, client);
        if meta.seen.has(Seen::AUTHORIZATION) && matches!(meta.caller, Caller::Key { .. }) {
            // It has served its purpose here; a key should not travel further than it must.
            map.remove(header::AUTHORIZATION);
        }
    }
}

/// `http://host/path` and HTTP/2's separate authority become a path and a `Host` header.
fn to_origin_form(map: &mut HeaderMap, uri: &mut Uri) {
    if let Some(host) = uri
        .authority()
        .and_then(|a| HeaderValue::from_str(a.as_str()).ok())
    {
        map.insert(header::HOST, host);
    }
    let path = uri.path_and_query().cloned();
    *uri = path.map_or_else(|| Uri::from_static("/"), Uri::from);
}

fn x_forwarded(map: &mut HeaderMap, meta: &Meta, client: &HeaderValue) {
    let mut chain = String::new();
    if meta.seen.has(Seen::FORWARDED) {
        // Only a trusted proxy's or our own processes' survive the ingress: continue the chain.
        for hop in map
            .get_all(&FORWARDED_FOR)
            .iter()
            .filter_map(|v| v.to_str().ok())
        {
            let _ = write!(chain, "{hop}, ");
        }
    }
    let value = if chain.is_empty() {
        client.clone()
    } else {
        let _ = write!(chain, "{}", meta.peer);
        HeaderValue::try_from(chain).unwrap_or_else(|_| client.clone())
    };
    map.insert(&FORWARDED_FOR, value);
    let has = |map: &HeaderMap, name| meta.seen.has(Seen::FORWARDED) && map.contains_key(name);
    if !has(map, &FORWARDED_PROTO) {
        map.insert(&FORWARDED_PROTO, HeaderValue::from_static("http"));
    }
    if !has(map, &FORWARDED_HOST)
        && let Some(host) = map.get(header::HOST).cloned()
    {
        map.insert(&FORWARDED_HOST, host);
    }
}

fn forwarded(map: &mut HeaderMap, meta: &Meta) {
    let mut text = String::new();
    for before in map
        .get_all(header::FORWARDED)
        .iter()
        .filter_map(|v| v.to_str().ok())
    {
        let _ = write!(text, "{before}, ");
    }
    let from = if text.is_empty() {
        meta.client.0
    } else {
        meta.peer
    };
    let _ = match from {
        IpAddr::V4(v4) => write!(text, "for={v4};proto=http"),
        IpAddr::V6(v6) => write!(text, "for=\"[{v6}]\";proto=http"),
    };
    let host = map.get(header::HOST).and_then(|h| h.to_str().ok());
    if let Some(host) = host.filter(|h| !h.contains(['"', '\\'])) {
        let _ = write!(text, ";host=\"{host}\"");
    }
    if let Ok(value) = HeaderValue::try_from(text) {
        map.insert(header::FORWARDED, value);
    }
}

/// The header of W3C trace context: `00-<trace id>-<span id>-<flags>`.
fn traceparent(trace: &TraceContext) -> HeaderValue {
    let mut text = *b"00-................................-................-00";
    web::hex(&mut text[3..35], &trace.trace_id.to_be_bytes());
    web::hex(&mut text[36..52], &trace.span_id.to_be_bytes());
    text[54] += u8::from(trace.sampled);
    HeaderValue::from_bytes(&text).expect("digits and dashes are a header value")
}

fn address(address: IpAddr) -> HeaderValue {
    use std::io::Write as _;
    if let IpAddr::V4(v4) = address {
        return dotted(v4.octets());
    }
    // 45 characters are enough for any address; no allocation before the header's own.
    let mut text = [0_u8; 64];
    let mut rest = &mut text[..];
    let written = write!(rest, "{address}").map(|()| 64 - rest.len());
    let value = written
        .ok()
        .and_then(|n| HeaderValue::from_bytes(&text[..n]).ok());
    value.unwrap_or_else(|| HeaderValue::from_static("unknown"))
}

/// An IPv4 address without the machinery of formatting: it is written for every request.
fn dotted(octets: [u8; 4]) -> HeaderValue {
    let (mut text, mut end) = ([0; 15], 0);
    let mut push = |byte| {
        text[end] = byte;
        end += 1;
    };
    for (at, octet) in octets.into_iter().enumerate() {
        if at > 0 {
            push(b'.');
        }
        if octet >= 100 {
            push(b'0' + octet / 100);
        }
        if octet >= 10 {
            push(b'0' + octet / 10 % 10);
        }
        push(b'0' + octet % 10);
    }
    HeaderValue::from_bytes(&text[..end]).expect("digits and dots are a header value")
}

fn caller(caller: &Caller) -> HeaderValue {
    match caller {
        Caller::Anonymous => HeaderValue::from_static("anonymous"),
        Caller::Local => HeaderValue::from_static("local"),
        Caller::Internal => HeaderValue::from_static("internal"),
        Caller::Key { .. } => HeaderValue::try_from(caller.label().into_owned())
            .unwrap_or_else(|_| HeaderValue::from_static("anonymous")),
    }
}

/// Readies the head of a service's answer for the client.
pub(super) fn to_client(map: &mut HeaderMap) {
    let seen = Seen::scan(map);
    strip_hop_by_hop(map, seen);
    if seen.has(Seen::INTERNAL) {
        let ours: Vec<HeaderName> = map
            .keys()
            .filter(|n| n.as_str().starts_with(headers::PREFIX))
            .cloned()
            .collect();
        for name in ours {
            map.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    fn told(map: &mut HeaderMap, uri: &str, change: impl FnOnce(&mut Meta)) -> Uri {
        let mut meta = Meta {
            seen: Seen::scan(map),
            ..Meta::default()
        };
        change(&mut meta);
        let mut uri: Uri = uri.parse().unwrap();
        let secret = HeaderValue::from_static("s3cret");
        let told = Told {
            meta: &meta,
            cluster: Some(&secret),
            style: ForwardedStyle::Both,
        };
        to_service(map, &mut uri, &told);
        uri
    }

    #[test]
    fn hop_by_hop_headers_and_those_named_by_connection_end_here() {
        let mut sent = map(&[
            ("host", "a.example"),
            ("connection", "x-private, close, Host, x-forwarded-for"),
            ("x-private", "1"),
            ("te", "trailers"),
            ("proxy-authorization", "x"),
            ("accept", "*/*"),
        ]);
        told(&mut sent, "/x", |_| {});
        for gone in ["connection", "x-private", "te", "proxy-authorization"] {
            assert!(!sent.contains_key(gone), "{gone}");
        }
        assert_eq!(sent["host"], "a.example", "a client cannot take these out");
        assert!(sent.contains_key("x-forwarded-for") && sent.contains_key("accept"));
    }

    #[test]
    fn addresses_and_traces_are_written_as_the_standards_say() {
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "10.20.99.100",
            "255.255.255.255",
            "2001:db8::1",
        ] {
            assert_eq!(address(text.parse().unwrap()), text);
        }
        for sampled in [true, false] {
            let trace = TraceContext {
                trace_id: 0xabc << 100 | 7,
                span_id: 0xf00d,
                sampled,
            };
            assert_eq!(traceparent(&trace), trace.header_value().as_str());
        }
    }

    #[test]
    fn an_absolute_uri_overrides_the_host() {
        let mut sent = map(&[("host", "b.example")]);
        let uri = told(&mut sent, "http://a.example:81/x?y=1", |_| {});
        assert_eq!(
            (uri.to_string().as_str(), &sent["host"]),
            ("/x?y=1", &HeaderValue::from_static("a.example:81"))
        );
    }

    #[test]
    fn a_service_learns_who_asks_and_from_where() {
        let mut sent = map(&[("host", "a.example"), ("authorization", "Bearer twk_x")]);
        told(&mut sent, "/", |meta| {
            meta.caller = Caller::Key { name: "ci".into() };
            meta.client = web::ClientAddr("2001:db8::1".parse().unwrap());
        });
        assert_eq!(sent["x-tradewind-caller"], "key:ci");
        assert_eq!(sent["x-tradewind-client"], "2001:db8::1");
        assert_eq!(sent["x-forwarded-for"], "2001:db8::1");
        assert_eq!(
            sent["forwarded"],
            "for=\"[2001:db8::1]\";proto=http;host=\"a.example\""
        );
        assert!(!sent.contains_key("authorization"), "the key stays here");
    }

    #[test]
    fn an_answer_loses_what_is_internal() {
        let mut answer = map(&[
            ("x-tradewind-debug", "1"),
            ("keep-alive", "timeout=5"),
            ("connection", "keep-alive"),
            ("etag", "1"),
        ]);
        to_client(&mut answer);
        assert_eq!(
            answer.keys().map(HeaderName::as_str).collect::<Vec<_>>(),
            ["etag"]
        );
    }
}
