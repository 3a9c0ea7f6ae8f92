//! The page over a FAKE system, to look at it while working on it: `cargo run -p console --example dev`.
//!
//! Traffic, processes and links are made up here. Nothing of this is in the program.

mod cluster;
mod links;

use std::sync::Arc;

use kernel::{Ctx, Tasks};
use web::{Handler, Ingress, Keys, Request, Response, Server};

struct Both {
    console: Arc<dyn Handler>,
    links: Arc<dyn Handler>,
}

impl Handler for Both {
    fn call(&self, request: Request) -> futures_util::future::BoxFuture<'static, Response> {
        if request.uri().path().starts_with("/console") {
            self.console.call(request)
        } else {
            self.links.call(request)
        }
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "says where to look")]
async fn main() {
    let ctx = Ctx::system();
    let tasks = Tasks::new();
    let cluster = cluster::FakeCluster::start(&ctx, &tasks);
    let deps = console::Deps {
        cluster,
        runs: Arc::new(console::NoRuns),
        ctx: ctx.clone(),
        tasks: tasks.clone(),
        leaving: web::Leave::default().leaving(),
    };
    let parts = console::build(console::Config::default(), deps);
    let links = web::from_router(links::router());
    let handler = Arc::new(Both {
        console: parts.handler,
        links,
    });
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:7780".to_owned());
    let listener = tokio::net::TcpListener::bind(&address)
        .await
        .expect("a free address");
    println!(
        "http://{}/console/",
        listener.local_addr().expect("it is bound")
    );
    let server = Server::new(handler, Ingress::new(Keys::none(), &*ctx.random));
    let _ = web::serve(listener, server, tasks).await;
}
