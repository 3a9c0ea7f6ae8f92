//! What clients were told against what is stored: each answer that redirects is a click.

use std::collections::BTreeMap;
use std::time::Duration;

use checks::{Ask, History, Operation, Value, conservation};
use serde::Deserialize;

use crate::client::patiently;
use crate::error::{Result, failed};
use crate::loads::Shown;
use crate::seed::Link;
use crate::system::System;
use crate::values::Values;

/// How long the system may take to write what it has promised.
const SETTLE: Duration = Duration::from_millis(1_500);

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
            let stats = patiently(async || system.client.get::<Stats>(&url).await).await?;
            all += stats.total_clicks;
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
        let stored = Self::stored(system, links).await?.0;
        // Fewer than before is possible, too: then some are lost that were there.
        let grown = i64::try_from(i128::from(stored) - i128::from(self.0)).unwrap_or_default();
        let clicks = shown.iter().filter(|kind| kind.clicks);
        let told: u64 = clicks.clone().map(|k| k.report.statuses.redirection).sum();
        let asked: u64 = clicks.map(|kind| kind.report.sent).sum();
        let (lost, unasked) = judged(told, asked, grown)?;
        values.insert("clicks_lost".to_owned(), lost);
        values.insert("clicks_unasked".to_owned(), unasked);
        Ok(())
    }
}

/// How many clicks are missing of those that were told, and how many there are beyond those that
/// were `asked` for. Which of several visits was lost does not matter, so that each group is one
/// operation: a visit that was not told of may be a click.
fn judged(told: u64, asked: u64, grown: i64) -> Result<(f64, f64)> {
    const KEY: &str = "clicks";
    let add = |clicks: u64| {
        let clicks = i64::try_from(clicks).unwrap_or(i64::MAX);
        Operation::begun(1, KEY, 0, Ask::Add(clicks))
    };
    let history = History::of([
        add(told).ok(0, Value::Nothing),
        add(asked.saturating_sub(told)).unknown(0),
    ]);
    let history = history.map_err(|error| failed(KEY, error))?;
    let verdict = conservation::counts(&history, &BTreeMap::from([(KEY.to_owned(), grown)]));
    let [told, asked, stored] = ["told", "asked", "stored"].map(|name| verdict.count(name));
    let lost = told.saturating_sub(stored) + grown.min(0).unsigned_abs();
    Ok((lost as f64, stored.saturating_sub(asked) as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_there_and_no_more_than_was_asked() {
        for (told, asked, grown, lost, unasked) in [
            (10, 10, 10, 0.0, 0.0),
            // Answers got lost on the way back, their clicks did not.
            (10, 12, 12, 0.0, 0.0),
            (10, 12, 9, 1.0, 0.0),
            (10, 12, 15, 0.0, 3.0),
            (2, 2, -3, 5.0, 0.0),
            (0, 0, 0, 0.0, 0.0),
        ] {
            let judged = judged(told, asked, grown).expect("judged");
            assert_eq!(judged, (lost, unasked), "{told} {asked} {grown}");
        }
    }
}
