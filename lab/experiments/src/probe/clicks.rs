//! What clients were told against what is stored: each answer that redirects is a click.

use std::time::Duration;

use serde::Deserialize;

use crate::error::Result;
use crate::loads::Shown;
use crate::seed::Link;
use crate::system::System;
use crate::values::Values;

/// How long the system may take to write what it has promised.
const SETTLE: Duration = Duration::from_millis(1_500);
const ATTEMPTS: usize = 40;
const PATIENCE: Duration = Duration::from_millis(250);

/// What is stored.
pub(crate) struct Clicks(u64);

#[derive(Deserialize)]
struct Stats {
    total_clicks: u64,
}

impl Clicks {
    /// How many clicks of `links` are stored now.
    pub(crate) async fn stored(system: &System, links: &[Link]) -> Result<Self> {
        let mut all = 0;
        for link in links {
            let url = format!("{}/api/links/{}/stats", system.gateway, link.id);
            all += patiently(system, &url).await?.total_clicks;
        }
        Ok(Self(all))
    }

    /// What was lost since, and what is there that nobody has asked for.
    pub(crate) async fn compare(
        self,
        system: &System,
        links: &[Link],
        shown: &[Shown],
        values: &mut Values,
    ) -> Result<()> {
        tokio::time::sleep(SETTLE).await;
        let stored = Self::stored(system, links).await?.0 - self.0;
        let clicks = shown.iter().filter(|kind| kind.clicks);
        let told: u64 = clicks.clone().map(|k| k.report.statuses.redirection).sum();
        let asked: u64 = clicks.map(|kind| kind.report.sent).sum();
        values.insert("clicks_lost".to_owned(), told.saturating_sub(stored) as f64);
        values.insert(
            "clicks_unasked".to_owned(),
            stored.saturating_sub(asked) as f64,
        );
        Ok(())
    }
}

/// A system that has just lost a process may refuse for a moment.
async fn patiently(system: &System, url: &str) -> Result<Stats> {
    let mut attempt = 1;
    loop {
        match system.client.get(url).await {
            Ok(stats) => return Ok(stats),
            Err(error) if attempt == ATTEMPTS => return Err(error),
            Err(_) => tokio::time::sleep(PATIENCE).await,
        }
        attempt += 1;
    }
}
