//! What is there before the load begins: short links.

use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::error::{Result, failed};
use crate::system::System;

/// How many links one request makes.
const BATCH: usize = 100;
/// How long seeding waits for a system that is busy.
const PATIENCE: Duration = Duration::from_millis(200);
const ATTEMPTS: usize = 20;

/// A seeded link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) id: String,
    pub(crate) code: String,
}

#[derive(Deserialize)]
struct View {
    id: String,
    code: String,
}

#[derive(Deserialize)]
struct Bulk {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    link: Option<View>,
}

/// Makes `count` links to different places.
pub(crate) async fn links(system: &System, count: usize) -> Result<Vec<Link>> {
    let url = format!("{}/api/links/bulk", system.gateway);
    let mut made = Vec::with_capacity(count);
    while made.len() < count {
        let first = made.len();
        let items: Vec<_> = (first..count.min(first + BATCH))
            .map(|n| json!({ "url": format!("https://example.com/seed/{n}") }))
            .collect();
        let bulk: Bulk = patiently(system, &url, &json!({ "links": items })).await?;
        made.extend(bulk.items.into_iter().filter_map(|item| {
            let View { id, code } = item.link?;
            Some(Link { id, code })
        }));
        if made.len() == first {
            return Err(failed(&url, "no link could be made"));
        }
    }
    Ok(made)
}

/// A system that has just started may refuse for a moment.
async fn patiently(system: &System, url: &str, body: &serde_json::Value) -> Result<Bulk> {
    let mut attempt = 1;
    loop {
        match system.client.put(Method::POST, url, body).await {
            Ok(bulk) => return Ok(bulk),
            Err(error) if attempt == ATTEMPTS => return Err(error),
            Err(_) => tokio::time::sleep(PATIENCE).await,
        }
        attempt += 1;
    }
}
