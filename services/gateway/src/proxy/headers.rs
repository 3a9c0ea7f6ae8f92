//! Header hygiene: what is for one hop goes no further, and what we say of ourselves is ours alone.

use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Version, header};
use kernel::Kind;
use mesh::pool::RequestHead;
use telemetry::TraceContext;
use web::{Meta, Seen, headers};

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

static CALLER: HeaderName = HeaderName::from_static(headers::CALLER);
static CLIENT: HeaderName = HeaderName::from_static(headers::CLIENT);
static CLUSTER: HeaderName = HeaderName::from_static(headers::CLUSTER);
pub(super) static AGAIN: HeaderName = HeaderName::from_static(headers::AGAIN);
static REQUEST_ID: HeaderName = HeaderName::from_static(headers::REQUEST_ID);
static TRACEPARENT: HeaderName = HeaderName::from_static(TraceContext::HEADER);
static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// What `Connection` names besides; a client cannot name what protects us or what we say.
fn named_by_connection(map: &HeaderMap) -> Vec<HeaderName> {
    map.get_all(header::CONNECTION)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .filter(|name| !is_protected(name))
        .collect()
}

/// What a client must not be able to take out by naming it in `Connection`.
fn is_protected(name: &HeaderName) -> bool {
    *name == header::HOST
        || *name == header::CONTENT_LENGTH
        || name.as_str().starts_with(headers::PREFIX)
        || name.as_str().starts_with("x-forwarded-")
}

/// What another process of ours said of itself, and we say anew or not at all.
static OURS: [HeaderName; 5] = [
    HeaderName::from_static(headers::AGAIN),
    HeaderName::from_static(headers::CALLER),
    HeaderName::from_static(headers::CLIENT),
    HeaderName::from_static(headers::CLUSTER),
    HeaderName::from_static(headers::EXPLAIN),
];

/// The longest IPv6 address has 45.
const ADDRESS_CHARS_MAX: usize = 48;

/// What a service is told besides what the client sent.
pub(super) struct Told<'a> {
    pub(super) meta: &'a Meta,
    pub(super) cluster: Option<&'a HeaderValue>,
    pub(super) style: ForwardedStyle,
}

impl Told<'_> {
    /// Whether a header that the client sent goes no further, or is said anew.
    fn replaces(&self, name: &HeaderName, class: Seen, named: &[HeaderName]) -> bool {
        let meta = self.meta;
        let kept = if class.has(Seen::HOP | Seen::TRANSFER_ENCODING | Seen::UPGRADE) {
            !HOP_BY_HOP.contains(name)
        } else if class.has(Seen::INTERNAL) {
            !OURS.contains(name)
        } else if class.has(Seen::FORWARDED) {
            match self.style {
                ForwardedStyle::XForwarded => *name != FORWARDED_FOR,
                ForwardedStyle::Forwarded => *name != header::FORWARDED,
                ForwardedStyle::Both => *name != FORWARDED_FOR && *name != header::FORWARDED,
            }
        } else if class.has(Seen::TRACE) {
            !meta.trace.is_some() || *name != TRACEPARENT
        } else if class.has(Seen::AUTHORIZATION) {
            // A key has served its purpose here; it should not travel further than it must.
            self.cluster.is_none() || meta.caller.kind() != Kind::Key
        } else {
            !class.has(Seen::REQUEST_ID)
        };
        !kept || named.contains(name)
    }
}

/// The head of a request for a service: origin form, one host, who asks and from where.
pub(super) fn to_service(request: &Parts, told: &Told<'_>) -> RequestHead {
    let (uri, sent, meta) = (&request.uri, &request.headers, told.meta);
    let mut head = RequestHead::new(request.method.clone(), uri);
    // `http://host/path` and HTTP/2's separate authority count more than a `Host` header.
    let authority = uri
        .authority()
        .and_then(|a| HeaderValue::from_str(a.as_str()).ok());
    let host = authority.as_ref().or_else(|| sent.get(header::HOST));
    if let Some(host) = host {
        head.header(&header::HOST, host);
    }
    let named = if meta.seen.has(Seen::HOP) {
        named_by_connection(sent)
    } else {
        Vec::new()
    };
    let cookie = match request.version {
        Version::HTTP_2 => one_cookie(sent),
        _ => None,
    };
    if let Some(cookie) = &cookie {
        head.header(&header::COOKIE, cookie);
    }
    for (name, value) in sent {
        let class = Seen::of(name);
        if class.has(Seen::HOST) || (cookie.is_some() && *name == header::COOKIE) {
            continue;
        }
        if !told.replaces(name, class, &named) {
            head.header(name, value);
        }
    }
    let mut space = [0; ADDRESS_CHARS_MAX];
    let client = address(meta.client.0, &mut space);
    if told.style != ForwardedStyle::Forwarded {
        x_forwarded(&mut head, sent, host, meta, client);
    }
    if told.style != ForwardedStyle::XForwarded {
        forwarded(&mut head, sent, host, meta);
    }
    head.text(&REQUEST_ID, meta.request_id.text().as_ref());
    if meta.trace.is_some() {
        head.text(&TRACEPARENT, &traceparent(&meta.trace));
    }
    if let Some(secret) = told.cluster {
        head.header(&CLUSTER, secret);
        head.text(&CALLER, meta.caller.to_text().as_bytes());
        head.text(&CLIENT, client);
    }
    head
}

/// HTTP/2 may split the cookie into several lines; HTTP/1.1 has one (RFC 9113, section 8.2.3).
fn one_cookie(sent: &HeaderMap) -> Option<HeaderValue> {
    let mut lines = sent.get_all(header::COOKIE).iter();
    let (first, mut second) = (lines.next()?, lines.next());
    second?;
    let mut whole = first.as_bytes().to_vec();
    while let Some(line) = second {
        whole.extend_from_slice(b"; ");
        whole.extend_from_slice(line.as_bytes());
        second = lines.next();
    }
    HeaderValue::from_bytes(&whole).ok()
}

fn x_forwarded(
    head: &mut RequestHead,
    sent: &HeaderMap,
    host: Option<&HeaderValue>,
    meta: &Meta,
    client: &[u8],
) {
    // Only a trusted proxy's or our own processes' survive the ingress: continue the chain.
    let continues = meta.seen.has(Seen::FORWARDED);
    let has = |name| continues && sent.contains_key(name);
    if has(&FORWARDED_FOR) {
        let mut chain = hops(sent, &FORWARDED_FOR);
        let _ = write!(chain, "{}", meta.peer);
        head.text(&FORWARDED_FOR, chain.as_bytes());
    } else {
        head.text(&FORWARDED_FOR, client);
    }
    if !has(&FORWARDED_PROTO) {
        head.text(&FORWARDED_PROTO, b"http");
    }
    if !has(&FORWARDED_HOST)
        && let Some(host) = host
    {
        head.header(&FORWARDED_HOST, host);
    }
}

/// What was said before, ready for one more.
fn hops(sent: &HeaderMap, name: &HeaderName) -> String {
    let mut text = String::new();
    for hop in sent.get_all(name).iter().filter_map(|v| v.to_str().ok()) {
        let _ = write!(text, "{hop}, ");
    }
    text
}

fn forwarded(head: &mut RequestHead, sent: &HeaderMap, host: Option<&HeaderValue>, meta: &Meta) {
    let mut text = hops(sent, &header::FORWARDED);
    let from = if text.is_empty() {
        meta.client.0
    } else {
        meta.peer
    };
    let _ = match from {
        IpAddr::V4(v4) => write!(text, "for={v4};proto=http"),
        IpAddr::V6(v6) => write!(text, "for=\"[{v6}]\";proto=http"),
    };
    let host = host.and_then(|h| h.to_str().ok());
    if let Some(host) = host.filter(|h| !h.contains(['"', '\\'])) {
        let _ = write!(text, ";host=\"{host}\"");
    }
    head.text(&header::FORWARDED, text.as_bytes());
}

/// The header of W3C trace context: `00-<trace id>-<span id>-<flags>`.
fn traceparent(trace: &TraceContext) -> [u8; 55] {
    let mut text = *b"00-................................-................-00";
    web::hex(&mut text[3..35], &trace.trace_id.to_be_bytes());
    web::hex(&mut text[36..52], &trace.span_id.to_be_bytes());
    text[54] += u8::from(trace.sampled);
    text
}

/// An address as text, in `space`. An IPv4 address, which is written for every request, goes without
/// the machinery of formatting.
fn address(address: IpAddr, space: &mut [u8; ADDRESS_CHARS_MAX]) -> &[u8] {
    let end = match address {
        IpAddr::V4(v4) => dotted(v4.octets(), space),
        IpAddr::V6(v6) => {
            let mut rest = &mut space[..];
            // There is room for any address.
            let _ = io::Write::write_fmt(&mut rest, format_args!("{v6}"));
            ADDRESS_CHARS_MAX - rest.len()
        }
    };
    &space[..end]
}

fn dotted(octets: [u8; 4], text: &mut [u8; ADDRESS_CHARS_MAX]) -> usize {
    let mut end = 0;
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
    end
}

/// Readies the head of a service's answer for the client.
pub(super) fn to_client(map: &mut HeaderMap) {
    let seen = Seen::scan(map);
    if seen.has(Seen::HOP | Seen::TRANSFER_ENCODING | Seen::UPGRADE) {
        let named = named_by_connection(map);
        for name in named.iter().chain(&HOP_BY_HOP) {
            map.remove(name);
        }
    }
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
mod tests;
