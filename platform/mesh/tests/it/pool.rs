//! The connection pool against real sockets, also such as misbehave.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use kernel::{Coded as _, Retry, Tasks};
use mesh::pool::{Outgoing, Pool, PoolConfig, SendErrorKind};
use testkit::eventually;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const LONG: Duration = Duration::from_secs(30);
const SHORT: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn pool() -> Pool {
    Pool::new(PoolConfig::default())
}

fn get() -> Request<Full<Bytes>> {
    Request::get("/x?y=1")
        .header("host", "h")
        .body(Full::default())
        .expect("a request")
}

fn post(bytes: usize) -> Request<Full<Bytes>> {
    let body = Full::from(vec![b'z'; bytes]);
    Request::post("/x")
        .header("host", "h")
        .body(body)
        .expect("a request")
}

async fn text(pool: &Pool, addr: SocketAddr, request: impl Into<Outgoing<Full<Bytes>>>) -> String {
    let response = pool.send(addr, request).await.expect("a response");
    let body = response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    String::from_utf8(body.to_vec()).expect("text")
}

/// Serves each connection with `serve`.
async fn server<F>(tasks: &Tasks, serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let inner = tasks.clone();
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            inner.spawn(serve(stream));
        }
    });
    addr
}

/// Reads one request without a body. `false` at the end of the connection.
async fn read_head(stream: &mut TcpStream) -> bool {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => seen.push(byte[0]),
            _ => return false,
        }
    }
    true
}

async fn answer_all(mut stream: TcpStream, answer: &[u8]) {
    while read_head(&mut stream).await {
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_connection_is_used_again_and_again() {
    let (tasks, pool) = (Tasks::new(), pool());
    let addr = server(&tasks, |stream| answer_all(stream, SHORT)).await;
    for _ in 0..100 {
        assert_eq!(text(&pool, addr, get()).await, "ok");
    }
    let stats = pool.stats();
    assert_eq!((stats.connected, stats.reused, stats.idle), (1, 99, 1));
}

#[tokio::test]
async fn a_response_without_a_body_frees_its_connection_at_once() {
    let (tasks, pool) = (Tasks::new(), pool());
    let addr = server(&tasks, |stream| {
        answer_all(
            stream,
            b"HTTP/1.1 302 Found\r\nlocation: /z\r\ncontent-length: 0\r\n\r\n",
        )
    })
    .await;
    let response = pool.send(addr, get()).await.expect("a response");
    assert_eq!((response.status().as_u16(), pool.stats().idle), (302, 1));
}

#[tokio::test]
async fn a_long_body_streams_and_frees_its_connection_at_its_end() {
    let (tasks, pool) = (Tasks::new(), pool());
    let addr = server(&tasks, |mut stream| async move {
        while read_head(&mut stream).await {
            let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            stream.write_all(head).await.expect("written");
            for _ in 0..500 {
                let chunk = format!("3e8\r\n{}\r\n", "a".repeat(1_000));
                stream.write_all(chunk.as_bytes()).await.expect("written");
            }
            stream.write_all(b"0\r\n\r\n").await.expect("written");
        }
    })
    .await;
    for _ in 0..3 {
        assert_eq!(text(&pool, addr, get()).await.len(), 500_000);
    }
    assert_eq!((pool.stats().connected, pool.stats().idle), (1, 1));
    let response = pool.send(addr, get()).await.expect("a response");
    assert_eq!(pool.stats().idle, 0, "its body is still coming");
    drop(response);
    assert_eq!(pool.stats().idle, 0, "half read, it is of no use any more");
    assert_eq!(text(&pool, addr, get()).await.len(), 500_000);
}

#[tokio::test]
async fn a_large_request_body_is_sent_whole() {
    let (tasks, pool) = (Tasks::new(), pool());
    let addr = server(&tasks, |mut stream| async move {
        while read_head(&mut stream).await {
            let mut body = vec![0; 3_000_000];
            stream.read_exact(&mut body).await.expect("the whole body");
            stream.write_all(SHORT).await.expect("written");
        }
    })
    .await;
    for _ in 0..3 {
        assert_eq!(text(&pool, addr, post(3_000_000)).await, "ok");
    }
    assert_eq!(pool.stats().connected, 1);
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_is_replaced_without_a_word() {
    let (tasks, pool) = (Tasks::new(), pool());
    let (closed, mut is_closed) = tokio::sync::mpsc::channel::<()>(16);
    let addr = server(&tasks, move |mut stream| {
        let closed = closed.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(SHORT).await.expect("written");
            drop(stream);
            closed.send(()).await.expect("the test waits");
        }
    })
    .await;
    for n in 1..=5 {
        assert_eq!(text(&pool, addr, get()).await, "ok", "request {n}");
        is_closed.recv().await.expect("the server closed");
        // The runtime learns of it when it next asks the kernel.
        eventually("the pool sees the end", LONG, || async {
            tokio::task::yield_now().await;
            pool.sweep();
            pool.stats().idle == 0
        })
        .await;
    }
    assert_eq!(pool.stats().connected, 5);
}

#[tokio::test]
async fn nothing_listening_gives_the_request_back() {
    // A port that was free a moment ago may be somebody's by now.
    let addr = SocketAddr::from(([127, 0, 0, 1], 1));
    let error = pool()
        .send(addr, post(3))
        .await
        .err()
        .expect("nobody is there");
    assert_eq!(
        (error.kind, error.retry()),
        (SendErrorKind::Connect, Retry::Safe)
    );
    assert!(error.request.is_whole());
    let tasks = Tasks::new();
    let addr = server(&tasks, |mut stream| async move {
        read_head(&mut stream).await;
        let mut body = [0; 3];
        stream.read_exact(&mut body).await.expect("the whole body");
        assert_eq!(&body, b"zzz");
        stream.write_all(SHORT).await.expect("written");
    })
    .await;
    assert_eq!(text(&pool(), addr, *error.request).await, "ok");
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_may_have_taken_effect() {
    let (tasks, pool) = (Tasks::new(), pool());
    let addr = server(&tasks, |mut stream| async move {
        read_head(&mut stream).await;
    })
    .await;
    let error = pool.send(addr, get()).await.err().expect("no answer");
    assert_eq!(
        (error.kind, error.retry()),
        (SendErrorKind::Lost, Retry::IfIdempotent)
    );
    assert!(
        error
            .to_string()
            .starts_with("the connection to 127.0.0.1:"),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_that_comes_before_the_body_is_read_is_the_answer() {
    let (tasks, pool) = (Tasks::new(), pool());
    // Answers to the head, and then reads nothing more, or all, of the body.
    for closes in [true, false] {
        let addr = server(&tasks, move |mut stream| async move {
            read_head(&mut stream).await;
            let refusal = b"HTTP/1.1 413 Too large\r\ncontent-length: 2\r\n\r\nno";
            stream.write_all(refusal).await.expect("written");
            if !closes {
                let mut body = vec![0; 30_000_000];
                stream.read_exact(&mut body).await.ok();
            }
        })
        .await;
        let sending = pool.send(addr, post(30_000_000));
        let response = sending.await.expect("a response");
        assert_eq!(response.status().as_u16(), 413);
        let body = response.into_body().collect().await.expect("its body");
        assert_eq!(body.to_bytes(), "no");
        assert_eq!(pool.stats().idle, 0, "the rest of the body is still owed");
    }
}

#[tokio::test]
async fn both_directions_stream_at_once() {
    let (tasks, pool) = (Tasks::new(), pool());
    let addr = server(&tasks, |mut stream| async move {
        read_head(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n";
        stream.write_all(head).await.expect("written");
        // An echo: neither side's buffers hold all of it.
        let mut piece = vec![0; 10_000];
        for _ in 0..300 {
            stream.read_exact(&mut piece).await.expect("a piece");
            stream.write_all(&piece).await.expect("written");
        }
        read_head(&mut stream).await;
        stream.write_all(SHORT).await.expect("written");
    })
    .await;
    assert_eq!(
        text(&pool, addr, post(3_000_000)).await,
        "z".repeat(3_000_000)
    );
    assert_eq!(text(&pool, addr, get()).await, "ok");
    assert_eq!(pool.stats().connected, 1, "both are complete");
}

#[tokio::test]
async fn a_connection_with_something_unasked_is_not_used_again() {
    let (tasks, pool) = (Tasks::new(), pool());
    let addr = server(&tasks, |mut stream| async move {
        while read_head(&mut stream).await {
            let two = [SHORT, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"].concat();
            stream.write_all(&two).await.expect("written");
        }
    })
    .await;
    for n in 1..=3 {
        assert_eq!(text(&pool, addr, get()).await, "ok");
        assert_eq!((pool.stats().connected, pool.stats().idle), (n, 0));
    }
}

#[tokio::test]
async fn an_answer_to_head_has_a_length_and_no_body() {
    let (tasks, pool) = (Tasks::new(), pool());
    let addr = server(&tasks, |stream| {
        answer_all(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
    })
    .await;
    for _ in 0..2 {
        let head = Request::head("/x").header("host", "h");
        let head = head.body(Full::<Bytes>::default()).expect("a request");
        let response = pool.send(addr, head).await.expect("a response");
        assert_eq!(response.headers()["content-length"], "5");
        let body = response.into_body().collect().await.expect("no body");
        assert_eq!(body.to_bytes(), "");
    }
    assert_eq!((pool.stats().connected, pool.stats().idle), (1, 1));
}

#[tokio::test]
async fn an_answer_is_read_to_its_end_though_the_upload_fails() {
    let (tasks, pool) = (Tasks::new(), pool());
    let (go, may_go) = tokio::sync::mpsc::channel::<()>(1);
    let (closed, mut is_closed) = tokio::sync::mpsc::channel::<()>(1);
    let may_go = std::sync::Arc::new(tokio::sync::Mutex::new(may_go));
    let addr = server(&tasks, move |mut stream| {
        let (closed, may_go) = (closed.clone(), may_go.clone());
        async move {
            read_head(&mut stream).await;
            let head = b"HTTP/1.1 413 Too large\r\ncontent-length: 5000\r\n\r\n";
            stream.write_all(head).await.expect("written");
            may_go.lock().await.recv().await.expect("the test goes on");
            stream.write_all(&[b'n'; 5_000]).await.expect("written");
            // With so much unread, this is a reset.
            drop(stream);
            closed.send(()).await.expect("the test waits");
        }
    })
    .await;
    let sending = pool.send(addr, post(30_000_000));
    let response = sending.await.expect("a response");
    go.send(()).await.expect("the server waits");
    is_closed.recv().await.expect("the server closed");
    let body = response.into_body().collect().await.expect("all of it");
    assert_eq!(body.to_bytes().len(), 5_000);
    assert_eq!(pool.stats().idle, 0);
}

/// A server on a thread of its own. It answers without reading the body (of at most `unread` bytes),
/// closes its first connection when it is told to, and says so; then it serves one more request.
fn closing(
    unread: usize,
) -> (
    SocketAddr,
    std::sync::mpsc::SyncSender<()>,
    std::sync::mpsc::Receiver<()>,
) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let (close, may_close) = std::sync::mpsc::sync_channel(1);
    let (closed, is_closed) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let head = |stream: &mut std::net::TcpStream| {
            let (mut seen, mut byte) = (Vec::new(), [0]);
            while !seen.ends_with(b"\r\n\r\n") {
                stream.read_exact(&mut byte).expect("a head");
                seen.push(byte[0]);
            }
            stream.write_all(SHORT).expect("written");
        };
        let (mut first, _) = listener.accept().expect("a connection");
        head(&mut first);
        if unread == 0 {
            let mut body = [0; 3];
            first.read_exact(&mut body).expect("the body");
        }
        may_close.recv().expect("the test goes on");
        drop(first);
        closed.send(()).expect("the test waits");
        let (mut second, _) = listener.accept().expect("another connection");
        head(&mut second);
    });
    (addr, close, is_closed)
}

#[tokio::test]
async fn a_connection_that_breaks_unseen_is_replaced_while_nothing_was_sent() {
    let pool = pool();
    let (addr, close, closed) = closing(3);
    assert_eq!(text(&pool, addr, post(3)).await, "ok");
    assert_eq!(pool.stats().idle, 1);
    // This thread is the runtime's only one: it cannot look at its sockets in between.
    close.send(()).expect("the server waits");
    closed.recv().expect("the server reset the connection");
    assert_eq!(text(&pool, addr, get()).await, "ok");
    assert_eq!(pool.stats().connected, 2);
}

#[tokio::test]
async fn a_connection_whose_end_was_seen_is_not_used() {
    let pool = pool();
    let (addr, close, closed) = closing(0);
    assert_eq!(text(&pool, addr, post(3)).await, "ok");
    assert_eq!(pool.stats().idle, 1);
    close.send(()).expect("the server waits");
    closed.recv().expect("the server closed the connection");
    // The runtime looks at its sockets.
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(text(&pool, addr, get()).await, "ok");
    assert_eq!(pool.stats().connected, 2);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_an_error() {
    let (tasks, pool) = (Tasks::new(), pool());
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "220 mail ready\r\n\r\n",
    ] {
        let addr = server(&tasks, move |stream| answer_all(stream, answer.as_bytes())).await;
        let error = pool.send(addr, get()).await.err().expect(answer);
        assert_eq!(error.kind, SendErrorKind::Lost, "{answer}");
    }
    for body in [
        "content-length: 9\r\n\r\nab",
        "transfer-encoding: chunked\r\n\r\n!",
    ] {
        let addr = server(&tasks, move |mut stream| async move {
            read_head(&mut stream).await;
            let answer = format!("HTTP/1.1 200 OK\r\n{body}");
            stream.write_all(answer.as_bytes()).await.expect("written");
        })
        .await;
        let response = pool.send(addr, get()).await.expect("a head");
        assert!(response.into_body().collect().await.is_err(), "{body}");
        assert_eq!(pool.stats().idle, 0, "{body}");
    }
}

#[tokio::test]
async fn an_answer_may_end_with_its_connection() {
    let (tasks, pool) = (Tasks::new(), pool());
    let addr = server(&tasks, |mut stream| async move {
        read_head(&mut stream).await;
        let answer = b"HTTP/1.0 200 OK\r\n\r\nuntil the end";
        stream.write_all(answer).await.expect("written");
    })
    .await;
    assert_eq!(text(&pool, addr, get()).await, "until the end");
    assert_eq!(pool.stats().idle, 0);
}

#[tokio::test]
async fn what_lies_idle_is_bounded_in_number_and_time() {
    let tasks = Tasks::new();
    let idle_timeout = Duration::from_millis(400);
    let config = PoolConfig {
        max_idle_per_endpoint: 2,
        idle_timeout,
        ..PoolConfig::default()
    };
    let pool = Pool::new(config);
    let addr = server(&tasks, |stream| answer_all(stream, SHORT)).await;
    let five = (0..5).map(|_| text(&pool, addr, get()));
    futures_util::future::join_all(five).await;
    assert_eq!((pool.stats().connected, pool.stats().idle), (5, 2));
    eventually("idle connections are closed", LONG, || async {
        pool.sweep();
        pool.stats().idle == 0
    })
    .await;
}

#[test]
fn each_runtime_can_have_its_own_pool() {
    let (send, receive) = std::sync::mpsc::sync_channel(1);
    std::thread::scope(|scope| {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        scope.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async {
                let tasks = Tasks::new();
                let addr = server(&tasks, |stream| answer_all(stream, SHORT)).await;
                send.send(addr).expect("the test waits");
                stopped.await.ok();
            });
        });
        let addr = receive.recv().expect("an address");
        let worker = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async {
                let pool = pool();
                for _ in 0..50 {
                    assert_eq!(text(&pool, addr, get()).await, "ok");
                }
                pool.stats().connected
            })
        };
        let workers: Vec<_> = (0..3).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            assert_eq!(worker.join().expect("no panic"), 1);
        }
        stop.send(()).ok();
    });
}
