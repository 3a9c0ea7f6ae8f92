//! How long an edit takes to be seen: one client changes a link's target again and again, and reads
//! where it leads.

use std::time::Duration;

use http::{Method, header};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::error::{Result, failed};
use crate::seed;
use crate::system::System;
use crate::values::{Values, median};

/// How long is read after each edit.
const WATCH: Duration = Duration::from_millis(250);
const BETWEEN: Duration = Duration::from_millis(2);

/// What was seen after the edits.
#[derive(Debug, Default)]
struct Seen {
    /// For each edit, until when the old target was served, in milliseconds.
    stale_ms: Vec<f64>,
    reads: u64,
    stale: u64,
    backward: u64,
}

/// Edits and reads until `over`.
pub(crate) async fn staleness(
    system: &System,
    over: impl Future<Output = ()>,
    values: &mut Values,
) -> Result<()> {
    let link = seed::links(system, 1).await?;
    let link = link
        .first()
        .ok_or_else(|| failed("staleness", "no link could be made"))?;
    let mut seen = Seen::default();
    let mut over = std::pin::pin!(over);
    let mut version = 0_u64;
    loop {
        version += 1;
        let edited = tokio::select! {
            () = &mut over => break,
            edited = edit(system, &link.id, version) => edited,
        };
        if edited.is_err() {
            // A fault may refuse an edit; the next one may pass.
            tokio::time::sleep(BETWEEN).await;
            continue;
        }
        tokio::select! {
            () = &mut over => break,
            () = watch(system, &link.code, version, &mut seen) => {}
        }
    }
    if seen.reads > 0 && !seen.stale_ms.is_empty() {
        let most = seen.stale_ms.iter().copied().fold(0.0, f64::max);
        let share = seen.stale as f64 / seen.reads as f64 * 100.0;
        values.insert("stale_p50_ms".to_owned(), median(seen.stale_ms));
        values.insert("stale_max_ms".to_owned(), most);
        values.insert("stale_reads_percent".to_owned(), share);
        values.insert("backward_reads".to_owned(), seen.backward as f64);
    }
    Ok(())
}

async fn edit(system: &System, id: &str, version: u64) -> Result<Value> {
    let url = format!("{}/api/links/{id}", system.gateway);
    let body = json!({ "url": format!("https://example.com/version/{version}") });
    system.client.put(Method::PATCH, &url, &body).await
}

/// Reads until [`WATCH`] is over. The edit was answered just before.
async fn watch(system: &System, code: &str, version: u64, seen: &mut Seen) {
    let start = Instant::now();
    let url = format!("{}/{code}", system.gateway);
    let (mut last_stale, mut newest) = (0.0, 0);
    while start.elapsed() < WATCH {
        if let Some(read) = read(system, &url).await {
            seen.reads += 1;
            if read < version {
                seen.stale += 1;
                last_stale = start.elapsed().as_secs_f64() * 1e3;
            }
            seen.backward += u64::from(read < newest);
            newest = newest.max(read);
        }
        tokio::time::sleep(BETWEEN).await;
    }
    seen.stale_ms.push(last_stale);
}

/// The version that is served, unless a fault is in the way.
async fn read(system: &System, url: &str) -> Option<u64> {
    let answer = system
        .client
        .send(Method::GET, url, Vec::new())
        .await
        .ok()?;
    let place = answer.headers.get(header::LOCATION)?.to_str().ok()?;
    place.rsplit('/').next()?.parse().ok()
}
