//! One connection from its first byte to its end.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use kernel::Tasks;
use tokio::net::TcpStream;

use super::Shared;
use super::answer::Answer;
use super::io::Watched;
use super::pulse::{Framing, Pulse, Verdict, Watch};

/// How HTTP/2 begins when the client knows that we speak it.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0";

type Conn1 = http1::Connection<TokioIo<Watched>, Requests>;
type Conn2 = http2::Connection<TokioIo<Watched>, Requests, Spawn>;

/// Serves one connection.
pub(super) async fn drive(shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr) {
    // Small answers must not wait for the client's acknowledgement of the last one.
    let _ = stream.set_nodelay(true);
    let limits = &shared.server.limits;
    let first = tokio::time::timeout(limits.header_timeout(), framing(&stream));
    let framing = tokio::select! {
        () = shared.drain.cancelled() => return,
        first = first => match first {
            Ok(Some(framing)) => framing,
            _ => return,
        },
    };
    let peer = peer.ip().to_canonical();
    let conn = Arc::new(Conn {
        shared: Arc::clone(shared),
        pulse: Pulse::default(),
        peer,
    });
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&conn)));
    let requests = Requests(Arc::clone(&conn));
    match framing {
        Framing::Http1 => {
            let serving = http1::Builder::new()
                .writev(false)
                .max_headers(limits.headers_max)
                .max_header_size(limits.header_bytes_max)
                .max_buf_size(limits.header_bytes_max.max(8 * 1024))
                .serve_connection(io, requests);
            attend(shared, &conn.pulse, serving, framing).await;
        }
        Framing::Http2 => {
            let serving = http2::Builder::new(Spawn(shared.tasks.clone()))
                .timer(TokioTimer::new())
                .max_concurrent_streams(limits.streams_max)
                .max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
                .keep_alive_interval(Duration::from_secs(20))
                .serve_connection(io, requests);
            attend(shared, &conn.pulse, serving, framing).await;
        }
    }
}

/// Looks at the first bytes without taking them.
async fn framing(stream: &TcpStream) -> Option<Framing> {
    let mut first = [0_u8; HTTP2_PREFACE.len()];
    loop {
        let got = stream.peek(&mut first).await.ok()?;
        match &first[..got] {
            [] => return None,
            start if start == HTTP2_PREFACE => return Some(Framing::Http2),
            start if !HTTP2_PREFACE.starts_with(start) => return Some(Framing::Http1),
            // `P` may be the start of either; more bytes cannot be waited for without taking these.
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

/// A connection that can be asked to end after what is in flight.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn graceful(self: Pin<&mut Self>);
}

impl Graceful for Conn1 {
    fn graceful(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl Graceful for Conn2 {
    fn graceful(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Runs `conn` to its end. One timer watches over it; it is not touched by requests.
async fn attend<C: Graceful>(shared: &Shared, pulse: &Pulse, conn: C, framing: Framing) {
    let limits = &shared.server.limits;
    let tick = limits.tick();
    let mut watch = Watch::new(Instant::now());
    let mut conn = pin!(conn);
    let mut drain = pin!(shared.drain.cancelled());
    let mut cut = pin!(shared.cut.cancelled());
    let mut alarm = pin!(tokio::time::sleep(tick));
    let (mut registered, mut leaving) = (false, false);
    std::future::poll_fn(|cx| {
        // A spawned task keeps its waker, so asking these once is enough to be woken by them.
        if !registered || shared.draining.load(Ordering::Relaxed) {
            let stop = drain.as_mut().poll(cx).is_ready();
            if cut.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if stop && !leaving {
                leaving = true;
                conn.as_mut().graceful();
            }
        }
        if conn.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if registered && !alarm.is_elapsed() {
            return Poll::Pending;
        }
        registered = true;
        while alarm.as_mut().poll(cx).is_ready() {
            match watch.look(pulse, Instant::now(), limits, framing) {
                Verdict::Live => {}
                Verdict::Slow => return Poll::Ready(()),
                Verdict::Idle if leaving => {}
                Verdict::Idle => {
                    leaving = true;
                    conn.as_mut().graceful();
                    cx.waker().wake_by_ref();
                }
            }
            alarm.as_mut().reset(tokio::time::Instant::now() + tick);
        }
        Poll::Pending
    })
    .await;
}

/// What the requests of one connection share.
pub(super) struct Conn {
    pub(super) shared: Arc<Shared>,
    pub(super) pulse: Pulse,
    pub(super) peer: IpAddr,
}

struct Requests(Arc<Conn>);

impl Service<hyper::Request<Incoming>> for Requests {
    type Response = crate::Response;
    type Error = std::convert::Infallible;
    type Future = Answer;

    fn call(&self, request: hyper::Request<Incoming>) -> Answer {
        Answer::to(request, &self.0)
    }
}

/// Runs the streams of HTTP/2 connections.
#[derive(Clone)]
struct Spawn(Tasks);

impl<F> Executor<F> for Spawn
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, work: F) {
        self.0.spawn(work);
    }
}
