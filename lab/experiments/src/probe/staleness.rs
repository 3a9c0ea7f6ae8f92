//! How long an edit takes to be seen: one client changes a link's target again and again, and reads
//! where it leads. What it was told is a history, and the checks over histories judge it.

use std::time::Duration;

use checks::{Ask, Found, History, Operation, Value as Held, Verdict};
use http::{Method, header};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::error::{Result, failed};
use crate::seed::{self, Link};
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
    /// Every edit and read, with the version that it made or saw.
    history: History,
}

impl Seen {
    fn note(&mut self, operation: Operation) -> Result<()> {
        let noted = self.history.push(operation);
        noted.map_err(|error| failed("staleness", error))
    }

    /// The value of each metric; nothing unless something was read after an edit.
    fn values(self) -> Values {
        let mut values = Values::new();
        let reads = checks::read_your_writes(&self.history);
        let all = reads.count("reads");
        if all == 0 || self.stale_ms.is_empty() {
            return values;
        }
        let most = self.stale_ms.iter().copied().fold(0.0, f64::max);
        let backward = violations(&checks::monotonic_reads(&self.history));
        for (name, value) in [
            ("stale_p50_ms", median(self.stale_ms)),
            ("stale_max_ms", most),
            (
                "stale_reads_percent",
                violations(&reads) as f64 / all as f64 * 100.0,
            ),
            ("backward_reads", backward as f64),
        ] {
            values.insert(name.to_owned(), value);
        }
        values
    }
}

fn violations(verdict: &Verdict) -> u64 {
    match verdict.found {
        Found::Broken { violations } => violations,
        Found::Held | Found::Unknown { .. } => 0,
    }
}

/// The clock of the history, and of what it is.
struct Watched<'a> {
    system: &'a System,
    link: &'a Link,
    start: Instant,
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
    let watched = Watched {
        system,
        link,
        start: Instant::now(),
    };
    let mut seen = Seen::default();
    let mut over = std::pin::pin!(over);
    let mut version = 0_u64;
    loop {
        version += 1;
        let first = seen.stale_ms.is_empty();
        let mut step = std::pin::pin!(async {
            match watched.edit(version, &mut seen).await? {
                true => watched.watch(version, &mut seen).await,
                // A fault may refuse an edit; the next one may pass.
                false => {
                    tokio::time::sleep(BETWEEN).await;
                    Ok(())
                }
            }
        });
        tokio::select! {
            () = &mut over => {
                // However short the trial was, something is known.
                if first {
                    step.await?;
                }
                break;
            }
            done = &mut step => done?,
        }
    }
    values.extend(seen.values());
    Ok(())
}

impl Watched<'_> {
    fn now_us(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Makes `version` of the link. Answers whether it was acknowledged.
    async fn edit(&self, version: u64, seen: &mut Seen) -> Result<bool> {
        let url = format!("{}/api/links/{}", self.system.gateway, self.link.id);
        let place = format!("https://example.com/version/{version}");
        let body = json!({ "url": place });
        let asked = Ask::Write(place.into());
        let begun = Operation::begun(1, &self.link.code, self.now_us(), asked);
        let edited = self.system.client.put(Method::PATCH, &url, &body).await;
        let edited: Result<Value> = edited;
        let end_us = self.now_us();
        seen.note(match edited.is_ok() {
            true => begun.ok(end_us, Held::Nothing).at_version(version),
            // What was refused may have happened all the same.
            false => begun.unknown(end_us),
        })?;
        Ok(edited.is_ok())
    }

    /// Reads until [`WATCH`] is over. The edit was answered just before.
    async fn watch(&self, version: u64, seen: &mut Seen) -> Result<()> {
        let start = Instant::now();
        let url = format!("{}/{}", self.system.gateway, self.link.code);
        let mut last_stale = 0.0;
        while start.elapsed() < WATCH {
            let begun = Operation::begun(1, &self.link.code, self.now_us(), Ask::Read);
            if let Some(read) = read(self.system, &url).await {
                if read < version {
                    last_stale = start.elapsed().as_secs_f64() * 1e3;
                }
                seen.note(begun.ok(self.now_us(), Held::Nothing).at_version(read))?;
            }
            tokio::time::sleep(BETWEEN).await;
        }
        seen.stale_ms.push(last_stale);
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(versions: &[(bool, u64)]) -> Values {
        let mut seen = Seen {
            stale_ms: vec![3.0],
            ..Seen::default()
        };
        for (at, &(edit, version)) in (0..).step_by(10).zip(versions) {
            let asked = match edit {
                true => Ask::Write(Held::Nothing),
                false => Ask::Read,
            };
            let told = Operation::begun(1, "k", at, asked).ok(at + 5, Held::Nothing);
            seen.note(told.at_version(version)).expect("noted");
        }
        seen.values()
    }

    #[test]
    fn stale_and_backward_reads_are_told_apart() {
        let fresh = seen(&[(true, 1), (false, 1), (true, 2), (false, 2), (false, 2)]);
        assert_eq!(fresh["stale_reads_percent"], 0.0);
        assert_eq!(fresh["backward_reads"], 0.0);
        // Stale once, and not backward: the new one was not seen yet.
        let stale = seen(&[(true, 1), (false, 0), (false, 1)]);
        assert_eq!(stale["stale_reads_percent"], 50.0);
        assert_eq!(stale["backward_reads"], 0.0);
        let backward = seen(&[(true, 1), (false, 1), (true, 2), (false, 2), (false, 1)]);
        assert_eq!(backward["backward_reads"], 1.0);
        assert!(seen(&[(true, 1)]).is_empty(), "nothing was read");
    }
}
