//! What this program is when it is started as a part of its own benchmark.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, ready};
use gateway::{Config, Deps, Route};
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{Empty, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kernel::{Ctx, Tasks};
use mesh::discovery::{Endpoint, StaticDiscovery};
use telemetry::Telemetry;
use tokio::net::TcpListener;
use web::{Body, Handler, Ingress, Keys, RouteSpec};

pub(crate) fn play(role: &str, args: &[String]) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(io::stdout(), "{}", listener.local_addr()?)?;
        io::stdout().flush()?;
        match role {
            "backend" => {
                bare(listener, || {
                    Response::new(Full::new(Bytes::from_static(&[b'x'; 512])))
                })
                .await
            }
            "bare" => bare(listener, found).await,
            "local" => front(listener, &[]).await,
            _ => front(listener, args).await,
        }
    })
}

fn found() -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::FOUND;
    let to = HeaderValue::from_static("https://example.com/a/long/enough/path");
    response.headers_mut().insert(header::LOCATION, to);
    response
}

/// The least that hyper can do.
async fn bare<B>(listener: TcpListener, answer: fn() -> Response<B>) -> io::Result<()>
where
    B: http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let tasks = Tasks::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tasks.spawn(async move {
            let service = service_fn(move |_| ready(Ok::<_, Infallible>(answer())));
            let serving = hyper::server::conn::http1::Builder::new();
            // A connection ends in an error when its client leaves; that is its end, no more.
            let _ = serving
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

struct Found;

impl Handler for Found {
    fn call(&self, _: web::Request) -> BoxFuture<'static, web::Response> {
        Box::pin(ready(found().map(|_| Body::Empty)))
    }
}

/// The gateway with one worker: to replicas at `args`, or to a handler in process.
async fn front(listener: TcpListener, args: &[String]) -> io::Result<()> {
    let ctx = Ctx::system();
    let addrs = args.iter().map(|a| a.parse().map_err(io::Error::other));
    let addrs: Vec<std::net::SocketAddr> = addrs.collect::<io::Result<_>>()?;
    let endpoints = addrs.into_iter().map(Endpoint::at).collect::<Vec<_>>();
    let deps = Deps {
        telemetry: Telemetry::new(telemetry::Sampling::default(), &ctx),
        ingress: Ingress::new(Keys::none(), &*ctx.random),
        discovery: Arc::new(StaticDiscovery::new().with("backend", endpoints)),
        faults: faults::Faults::default(),
        cluster: None,
        ctx,
    };
    let config = Config {
        workers: 1,
        ..Config::default()
    };
    let spec = RouteSpec::any_host("/", "backend");
    let route = if args.is_empty() {
        Route::local(spec, Arc::new(Found))
    } else {
        Route::remote(spec)
    };
    let parts = gateway::build(config, deps);
    parts
        .gateway
        .set_routes(vec![route])
        .map_err(io::Error::other)?;
    parts
        .gateway
        .serve(listener, &Tasks::new())
        .await
        .map(|_| ())
}
