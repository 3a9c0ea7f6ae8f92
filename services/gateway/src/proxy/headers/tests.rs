//! What goes on and what ends here.

use super::*;
use kernel::Principal;

fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(*name, HeaderValue::from_static(value));
    }
    map
}

/// What a service is sent: the target, and the headers.
fn told(sent: &HeaderMap, uri: &str, change: impl FnOnce(&mut Meta)) -> (String, HeaderMap) {
    let mut meta = Meta {
        seen: Seen::scan(sent),
        ..Meta::default()
    };
    change(&mut meta);
    let secret = HeaderValue::from_static("s3cret");
    let told = Told {
        meta: &meta,
        cluster: Some(&secret),
        style: ForwardedStyle::Both,
    };
    let head = to_service(&parts(sent, uri), &told);
    parse(&head)
}

fn parts(sent: &HeaderMap, uri: &str) -> Parts {
    let mut parts = http::Request::new(()).into_parts().0;
    (parts.uri, parts.headers) = (uri.parse().unwrap(), sent.clone());
    parts
}

fn parse(head: &RequestHead) -> (String, HeaderMap) {
    let text = String::from_utf8(head.as_bytes().to_vec()).unwrap();
    let mut lines = text.split_terminator("\r\n");
    let target = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let mut map = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        let name: HeaderName = name.parse().unwrap();
        map.append(name, value.parse().unwrap());
    }
    (target, map)
}

#[test]
fn a_cookie_in_pieces_becomes_one() {
    let mut sent = map(&[("cookie", "a=1"), ("accept", "*/*")]);
    let latin = HeaderValue::from_bytes(b"b=\xe4").unwrap();
    sent.append("cookie", latin);
    let mut request = parts(&sent, "/");
    request.version = Version::HTTP_2;
    let meta = Meta::default();
    let told = Told {
        meta: &meta,
        cluster: None,
        style: ForwardedStyle::XForwarded,
    };
    let head = to_service(&request, &told);
    let one = b"\r\ncookie: a=1; b=\xe4\r\naccept: */*\r\n";
    assert!(head.as_bytes().windows(one.len()).any(|w| w == one));
    let cookie = |bytes: &[u8]| bytes.windows(7).filter(|w| *w == b"cookie:").count();
    assert_eq!(cookie(head.as_bytes()), 1);
}

#[test]
fn hop_by_hop_headers_and_those_named_by_connection_end_here() {
    let sent = map(&[
        ("host", "a.example"),
        ("connection", "x-private, close, Host, x-forwarded-for"),
        ("x-private", "1"),
        ("te", "trailers"),
        ("proxy-authorization", "x"),
        ("accept", "*/*"),
    ]);
    let (_, got) = told(&sent, "/x", |_| {});
    for gone in ["connection", "x-private", "te", "proxy-authorization"] {
        assert!(!got.contains_key(gone), "{gone}");
    }
    assert_eq!(got["host"], "a.example", "a client cannot take these out");
    assert!(got.contains_key("x-forwarded-for") && got.contains_key("accept"));
}

#[test]
fn addresses_and_traces_are_written_as_the_standards_say() {
    for text in [
        "0.0.0.0",
        "127.0.0.1",
        "10.20.99.100",
        "255.255.255.255",
        "2001:db8::1",
        "1111:2222:3333:4444:5555:6666:7777:8888",
    ] {
        let mut space = [0; ADDRESS_CHARS_MAX];
        assert_eq!(address(text.parse().unwrap(), &mut space), text.as_bytes());
    }
    for sampled in [true, false] {
        let trace = TraceContext {
            trace_id: 0xabc << 100 | 7,
            span_id: 0xf00d,
            sampled,
        };
        assert_eq!(traceparent(&trace), trace.header_value().as_bytes());
    }
}

#[test]
fn an_absolute_uri_overrides_the_host() {
    let sent = map(&[("host", "b.example")]);
    let (target, got) = told(&sent, "http://a.example:81/x?y=1", |_| {});
    let hosts: Vec<_> = got.get_all("host").iter().collect();
    assert_eq!(target, "/x?y=1");
    assert_eq!(hosts, ["a.example:81"]);
    assert_eq!(got["x-forwarded-host"], "a.example:81");
    assert_eq!(told(&sent, "http://a.example", |_| {}).0, "/");
}

#[test]
fn a_service_learns_who_asks_and_from_where() {
    let sent = map(&[("host", "a.example"), ("authorization", "Bearer twk_x")]);
    let (_, got) = told(&sent, "/", |meta| {
        meta.caller = Principal::key("ci", kernel::DEFAULT_TENANT, kernel::Scopes::ALL);
        meta.client = web::ClientAddr("2001:db8::1".parse().unwrap());
    });
    assert_eq!(got["x-tradewind-caller"], "key:ci");
    assert_eq!(got["x-tradewind-client"], "2001:db8::1");
    assert_eq!(got["x-forwarded-for"], "2001:db8::1");
    assert_eq!(
        got["forwarded"],
        "for=\"[2001:db8::1]\";proto=http;host=\"a.example\""
    );
    assert!(!got.contains_key("authorization"), "the key stays here");
}

#[test]
fn the_chain_of_a_trusted_proxy_goes_on() {
    let sent = map(&[
        ("host", "inner"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "a.example"),
        ("forwarded", "for=192.0.2.7;proto=https"),
    ]);
    let (_, got) = told(&sent, "/", |meta| {
        meta.client = web::ClientAddr("192.0.2.7".parse().unwrap());
        meta.peer = "10.0.0.1".parse().unwrap();
    });
    let all = |name| got.get_all(name).iter().collect::<Vec<_>>();
    assert_eq!(all("x-forwarded-for"), ["192.0.2.7, 10.0.0.1"]);
    assert_eq!(all("x-forwarded-proto"), ["https"]);
    assert_eq!(all("x-forwarded-host"), ["a.example"]);
    assert_eq!(
        all("forwarded"),
        ["for=192.0.2.7;proto=https, for=10.0.0.1;proto=http;host=\"inner\""]
    );
}

#[test]
fn what_another_process_of_ours_said_is_said_anew() {
    let sent = map(&[
        ("x-tradewind-cluster", "s3cret"),
        ("x-tradewind-caller", "key:ci"),
        ("x-tradewind-client", "192.0.2.7"),
        ("x-tradewind-again", "1"),
        ("x-tradewind-explain", "1"),
        ("x-request-id", "of-before"),
        (
            "traceparent",
            "00-0000000000000000000000000000000a-000000000000000b-01",
        ),
        ("tracestate", "a=b"),
    ]);
    let (_, got) = told(&sent, "/", |meta| {
        meta.from_cluster = true;
        meta.caller = Principal::LOCAL;
        meta.trace = TraceContext {
            trace_id: 10,
            span_id: 12,
            sampled: true,
        };
    });
    let all = |name| got.get_all(name).iter().collect::<Vec<_>>();
    assert_eq!(all("x-tradewind-cluster"), ["s3cret"]);
    assert_eq!(all("x-tradewind-caller"), ["local"]);
    assert_eq!(all("x-tradewind-client"), ["0.0.0.0"]);
    assert_eq!(all("x-request-id"), ["00000000000000000000000000000000"]);
    assert_eq!(
        all("traceparent"),
        ["00-0000000000000000000000000000000a-000000000000000c-01"]
    );
    assert_eq!(all("tracestate"), ["a=b"]);
    for gone in ["x-tradewind-again", "x-tradewind-explain"] {
        assert!(!got.contains_key(gone), "{gone}");
    }
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
