//! CPU time of one redirect with its click recorded, without sockets: `cargo bench -p links`.
//!
//! The whole process is measured (user and system time of all threads), so committing and folding
//! clicks are in the figure. `fixed` is a handler that answers a constant 302: what the harness
//! itself costs.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for one person"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bus::{Bus, BusOptions};
use cache::Tier;
use contracts::links::{CreateLink, ImportBatch, ImportRow, Links};
use http::{HeaderValue, StatusCode, header};
use kernel::{Ctx, Principal, Random as _, SeededRandom, Tasks};
use links::{Config, Deps, Parts};
use mesh::CallCx;
use storage::{Db, DbOptions};
use telemetry::Telemetry;
use testkit::TempDir;
use web::{Body, ClientAddr, Handler, Meta, Request, Response};

const VISITS: usize = 2_000_000;
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let paths = |n: usize| (0..n).map(|i| format!("/l{i}")).collect::<Vec<_>>();
        measure("fixed", web::from_fn(fixed), &paths(1)).await;
        for links in [1, 100_000] {
            let directory = TempDir::new().unwrap();
            let tasks = Tasks::new();
            let handler = service(&directory, links, &tasks).await;
            measure(&format!("{links} links"), handler, &paths(links)).await;
            let (began, cpu) = (Instant::now(), cpu_time());
            tasks.shutdown().await;
            let rest = cpu_time() - cpu;
            println!(
                "{:>14}: the last group took {:?}, {rest:?} of CPU",
                "",
                began.elapsed()
            );
        }
    });
}

async fn fixed(_: Request) -> Response {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::FOUND;
    let target = HeaderValue::from_static("https://a.example/0");
    response.headers_mut().insert(header::LOCATION, target);
    response
}

async fn service(directory: &TempDir, links: usize, tasks: &Tasks) -> Arc<dyn Handler> {
    let ctx = Ctx::system();
    let telemetry = Telemetry::quiet();
    let url = format!("sqlite://{}/links.db", directory.path().display());
    let db = Db::open(&url, DbOptions::new("links")).await.unwrap();
    db.migrate(links::MIGRATIONS).await.unwrap();
    let deps = Deps {
        ctx: ctx.clone(),
        db: db.clone(),
        tier: Tier::Memory,
        telemetry: telemetry.clone(),
    };
    let Parts {
        service,
        handler,
        consumers,
        jobs,
        ..
    } = links::build(Config::default(), deps);
    let began = Instant::now();
    import(&*service, &ctx, links).await;
    println!(
        "{:>14}: imported in {:?}",
        format!("{links} links"),
        began.elapsed()
    );
    let bus = Bus::new(
        &ctx,
        telemetry.metrics.clone(),
        tasks.clone(),
        BusOptions::default(),
    );
    bus.host(&db, &consumers).await.unwrap();
    for job in jobs {
        tasks.spawn((job.run)(tasks.clone()));
    }
    handler
}

async fn import(service: &dyn Links, ctx: &Ctx, links: usize) {
    let cx = CallCx::new(&*ctx.clock, Duration::from_secs(600));
    for first in (0..links).step_by(1_000) {
        let rows = (first..links.min(first + 1_000)).map(|n| ImportRow {
            line: n as u64,
            link: CreateLink {
                code: Some(format!("l{n}")),
                ..CreateLink::to(format!("https://a.example/{n}"))
            },
        });
        let report = service
            .import_batch(
                &cx,
                ImportBatch {
                    rows: rows.collect(),
                },
            )
            .await
            .unwrap();
        assert_eq!(report.failed, 0, "{:?}", report.errors);
    }
}

async fn measure(name: &str, handler: Arc<dyn Handler>, paths: &[String]) {
    let random = SeededRandom::new(1);
    let order: Vec<usize> = (0..1 << 20)
        .map(|_| usize::try_from(random.below(paths.len() as u64)).unwrap())
        .collect();
    // The first visit of each link reads the store; that is not what is measured.
    for path in paths {
        let reply = handler.call(request(path)).await;
        assert_eq!(reply.status(), 302, "{path}");
    }
    let making = {
        let cpu = cpu_time();
        for n in 0..VISITS {
            std::hint::black_box(request(&paths[order[n & (order.len() - 1)]]));
        }
        cpu_time() - cpu
    };
    let (began, cpu) = (Instant::now(), cpu_time());
    for n in 0..VISITS {
        let reply = handler
            .call(request(&paths[order[n & (order.len() - 1)]]))
            .await;
        assert_eq!(reply.status(), 302);
        if n % 1_024 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let (spent, took) = (cpu_time() - cpu, began.elapsed());
    let each = |d: Duration| d.as_secs_f64() * 1e6 / VISITS as f64;
    println!(
        "{name:>14}: {:.2} us of CPU a redirect (+ {:.2} us to make the request), {:.0} a second",
        each(spent.saturating_sub(making)),
        each(making),
        VISITS as f64 / took.as_secs_f64(),
    );
}

fn request(path: &str) -> Request {
    let mut request = http::Request::builder()
        .uri(path)
        .header(header::HOST, "tw.example")
        .header(header::USER_AGENT, AGENT)
        .header(header::ACCEPT_LANGUAGE, "de-AT,de;q=0.9")
        .body(Body::Empty)
        .unwrap();
    let client = ClientAddr(std::net::IpAddr::from([127, 0, 0, 1]));
    let meta = Meta {
        caller: Principal::LOCAL,
        client,
        ..Meta::default()
    };
    request.extensions_mut().insert(meta);
    request
}

/// User and system time of this process, in ticks of a hundredth of a second.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}
