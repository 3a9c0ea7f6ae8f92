//! Requests as they leave, over sockets that take much or little at a time.

use std::collections::VecDeque;
use std::task::Waker;

use http_body::{Frame, SizeHint};
use http_body_util::Full;

use super::*;

/// A body that gives these frames one by one, with a pause after each if asked.
struct Pieces {
    frames: VecDeque<Result<Frame<Bytes>, BoxError>>,
    exact: Option<u64>,
    pauses: bool,
    paused: bool,
}

impl Pieces {
    fn new(pieces: &[&[u8]], exact: Option<u64>) -> Self {
        let frame = |p: &&[u8]| Ok(Frame::data(Bytes::copy_from_slice(p)));
        Self {
            frames: pieces.iter().map(frame).collect(),
            exact,
            pauses: false,
            paused: false,
        }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.paused = self.pauses && !self.paused;
        if self.paused {
            return Poll::Pending;
        }
        Poll::Ready(self.frames.pop_front())
    }

    fn size_hint(&self) -> SizeHint {
        self.exact.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// A socket that takes `most` bytes at a time, and every second time none at all.
struct Slow {
    got: Vec<u8>,
    writes: usize,
    most: usize,
    stops: bool,
    stopped: bool,
}

impl Slow {
    const fn new(most: usize) -> Self {
        Self {
            got: Vec::new(),
            writes: 0,
            most,
            stops: false,
            stopped: false,
        }
    }
}

impl AsyncWrite for Slow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stopped = self.stops && !self.stopped;
        if self.stopped {
            return Poll::Pending;
        }
        let taken = bytes.len().min(self.most);
        self.got.extend_from_slice(&bytes[..taken]);
        self.writes += 1;
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn post<B>(body: B) -> Outgoing<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    Request::post("/x?y=1")
        .header("host", "h")
        .body(body)
        .expect("a request")
        .into()
}

fn send<B>(request: &mut Outgoing<B>, socket: &mut Slow) -> io::Result<String>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..100_000 {
        if let Poll::Ready(sent) = request.poll_send(Pin::new(&mut *socket), &mut cx) {
            sent?;
            assert!(request.is_sent());
            return Ok(String::from_utf8(socket.got.clone()).unwrap());
        }
        assert!(!request.is_sent());
    }
    panic!("it is never sent");
}

#[test]
fn a_short_request_leaves_in_one_piece() {
    let mut socket = Slow::new(usize::MAX);
    let sent = send(&mut post(Full::from("abc")), &mut socket).unwrap();
    assert_eq!(
        sent,
        "POST /x?y=1 HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc"
    );
    assert_eq!(socket.writes, 1);
}

#[test]
fn the_body_says_its_length_whatever_the_head_said() {
    let lying = |method: &str, length: Option<&str>, body: &'static str| {
        let mut request = Request::builder()
            .method(method)
            .uri("/")
            .header("host", "h");
        if let Some(length) = length {
            request = request
                .header("content-length", length)
                .header("transfer-encoding", "chunked");
        }
        let request = request.body(Full::<Bytes>::from(body)).unwrap();
        let sent = send(&mut request.into(), &mut Slow::new(usize::MAX)).unwrap();
        sent.split_once("host: h\r\n").unwrap().1.to_owned()
    };
    assert_eq!(lying("GET", None, ""), "\r\n");
    assert_eq!(lying("GET", Some("7"), ""), "content-length: 0\r\n\r\n");
    assert_eq!(lying("POST", None, ""), "content-length: 0\r\n\r\n");
    assert_eq!(lying("PUT", Some("7"), "ab"), "content-length: 2\r\n\r\nab");
}

#[test]
fn a_body_arrives_whole_over_any_socket() {
    let large = "z".repeat(3 * COPIED_BYTES_MAX);
    let pieces: [&[u8]; 4] = [b"abc", large.as_bytes(), b"", b"de"];
    let whole = format!("abc{large}de");
    let chunks = format!(
        "3\r\nabc\r\n{:x}\r\n{large}\r\n2\r\nde\r\n0\r\n\r\n",
        large.len()
    );
    for most in [1_000, 16 * 1024 + 1, usize::MAX] {
        for slow in [false, true] {
            for (exact, end) in [(Some(whole.len() as u64), &whole), (None, &chunks)] {
                let mut socket = Slow {
                    stops: slow,
                    ..Slow::new(most)
                };
                let body = Pieces {
                    pauses: slow,
                    ..Pieces::new(&pieces, exact)
                };
                let sent = send(&mut post(body), &mut socket).unwrap();
                assert!(
                    sent.split_once("\r\n\r\n").unwrap().1 == end,
                    "{most} {slow} {exact:?}"
                );
            }
        }
    }
}

#[test]
fn a_body_of_another_length_than_it_said_is_an_error() {
    for (exact, how) in [(4, "longer"), (6, "shorter")] {
        let mut request = post(Pieces::new(&[b"abc", b"de"], Some(exact)));
        let error = send(&mut request, &mut Slow::new(usize::MAX)).unwrap_err();
        assert!(error.to_string().contains(how), "{error}");
        assert!(request.is_broken() && !request.is_whole());
    }
}

#[test]
fn a_body_that_fails_cannot_be_sent_again() {
    let mut body = Pieces::new(&[], None);
    body.frames.push_back(Err("gone".into()));
    let mut request = post(body);
    let error = send(&mut request, &mut Slow::new(usize::MAX)).unwrap_err();
    assert_eq!(error.to_string(), "gone");
    assert!(request.is_broken() && !request.is_whole() && request.again(None).is_none());
}

#[test]
fn a_request_without_a_body_can_be_sent_again() {
    let get = Request::get("/")
        .header("host", "h")
        .body(Full::<Bytes>::default());
    let mut request = Outgoing::from(get.unwrap());
    assert!(request.is_whole());
    send(&mut request, &mut Slow::new(usize::MAX)).unwrap();
    assert!(!request.is_whole());
    let value = HeaderValue::from_static("1");
    let mut again = request
        .again(Some((&HeaderName::from_static("x-again"), &value)))
        .unwrap();
    assert!(again.is_whole() && !again.is_sent());
    let sent = send(&mut again, &mut Slow::new(7)).unwrap();
    assert_eq!(sent, "GET / HTTP/1.1\r\nhost: h\r\nx-again: 1\r\n\r\n");
    let mut third = again.again(None).unwrap();
    assert_eq!(send(&mut third, &mut Slow::new(9)).unwrap(), sent);
    let name = HeaderName::from_static("x-again");
    let mut fourth = third.again(Some((&name, &value))).unwrap();
    assert_eq!(send(&mut fourth, &mut Slow::new(9)).unwrap(), sent, "once");

    for body in [3, 5 * COPIED_BYTES_MAX] {
        let mut request = post(Full::from(vec![b'z'; body]));
        send(&mut request, &mut Slow::new(usize::MAX)).unwrap();
        assert!(request.again(None).is_none(), "its body is gone");
    }
}

#[test]
fn no_line_can_be_smuggled_in() {
    let mut head = RequestHead::new(Method::GET, &Uri::from_static("/"));
    head.text(&HeaderName::from_static("x-a"), b"1\r\nx-b: 2");
    head.text(&HeaderName::from_static("x-c"), b"fine; really\t\"so\"");
    let lines = std::str::from_utf8(head.as_bytes()).unwrap();
    assert_eq!(lines, "GET / HTTP/1.1\r\nx-c: fine; really\t\"so\"\r\n");
}
