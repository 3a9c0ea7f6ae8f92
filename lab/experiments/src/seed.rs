//! What is there before the load begins: short links.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::client::patiently;
use crate::error::{Result, failed};
use crate::system::System;

/// How many links one request makes.
const BATCH: usize = 100;

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
        let body = json!({ "links": items });
        let bulk: Bulk =
            patiently(async || system.client.put(Method::POST, &url, &body).await).await?;
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
