//! Active health checks: every replica of every remote service is asked now and then, while the knob
//! says so.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use http::{HeaderValue, Request, Uri, header};
use kernel::{Switch, Tasks};
use mesh::balance::Health;
use mesh::pool::{Pool, PoolConfig};
use tokio::time::timeout;
use web::Body;

use crate::config::HealthConfig;
use crate::gateway::Core;
use crate::upstream::Upstream;

/// How many replicas are asked at the same time.
const AT_ONCE_MAX: usize = 64;

/// So many good (positive) or bad (negative) answers in a row.
type Rows = HashMap<(&'static str, SocketAddr), i64>;

/// Asks until `tasks` are asked to stop.
pub(crate) async fn watch(core: Arc<Core>, tasks: Tasks) {
    let config = &core.config.health;
    let pool = Pool::new(PoolConfig {
        max_idle_per_endpoint: 1,
        connect_timeout: Duration::from_millis(config.timeout_ms),
        ..PoolConfig::default()
    });
    let mut rows = Rows::new();
    let mut beat = tokio::time::interval(Duration::from_millis(config.interval_ms.max(10)));
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = tasks.stopping() => return,
            _ = beat.tick() => {}
        }
        if core.choices.health_checks.get() == Switch::Off {
            forget(&core, &mut rows);
            continue;
        }
        tokio::select! {
            () = tasks.stopping() => return,
            () = round(&core, &pool, &mut rows) => {}
        }
    }
}

/// Marks are not heeded while nobody is asked; they are removed so that an old one does not count
/// when somebody is asked again.
fn forget(core: &Core, rows: &mut Rows) {
    rows.clear();
    for upstream in core.upstreams() {
        for addr in upstream.addresses() {
            upstream.mark(addr, Health::Healthy);
        }
    }
}

async fn round(core: &Core, pool: &Pool, rows: &mut Rows) {
    let config = &core.config.health;
    let mut asked: Vec<(Arc<Upstream>, SocketAddr)> = Vec::new();
    for upstream in core.upstreams() {
        asked.extend(
            upstream
                .addresses()
                .into_iter()
                .map(|a| (Arc::clone(&upstream), a)),
        );
    }
    rows.retain(|(service, addr), _| {
        asked
            .iter()
            .any(|(u, a)| u.service == *service && a == addr)
    });
    for chunk in asked.chunks(AT_ONCE_MAX) {
        let answers = join_all(chunk.iter().map(|(_, addr)| ask(pool, *addr, config))).await;
        for ((upstream, addr), answer) in chunk.iter().zip(answers) {
            let row = rows.entry((upstream.service, *addr)).or_default();
            *row = if answer.is_ok() {
                (*row).max(0) + 1
            } else {
                (*row).min(0) - 1
            };
            match answer {
                Ok(()) if *row >= i64::from(config.healthy_after) => {
                    upstream.mark(*addr, Health::Healthy);
                }
                Err(why) if -*row >= i64::from(config.unhealthy_after) => {
                    upstream.mark(*addr, Health::Unhealthy(why));
                }
                _ => {}
            }
        }
    }
    pool.sweep();
}

/// Asks one replica; the error says what was seen.
async fn ask(pool: &Pool, addr: SocketAddr, config: &HealthConfig) -> Result<(), String> {
    let mut request = Request::new(Body::Empty);
    *request.uri_mut() = config
        .path
        .parse()
        .unwrap_or_else(|_| Uri::from_static("/readyz"));
    let host = HeaderValue::try_from(addr.to_string());
    request.headers_mut().insert(
        header::HOST,
        host.unwrap_or_else(|_| HeaderValue::from_static("localhost")),
    );
    let limit = Duration::from_millis(config.timeout_ms);
    match timeout(limit, pool.send(addr, request)).await {
        Err(_) => Err(format!("no answer within {} ms", config.timeout_ms)),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(response)) if response.status().is_success() => {
            // Read to its end, so that the connection is used again; a broken body is no matter.
            let _ = timeout(limit, web::read_body(response.into_body(), 64 * 1024)).await;
            Ok(())
        }
        Ok(Ok(response)) => Err(format!("{} answered {}", config.path, response.status())),
    }
}
