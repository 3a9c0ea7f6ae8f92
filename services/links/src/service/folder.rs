//! The fold: groups of clicks become sums of links and days, exactly once.
//!
//! One replica folds at a time, under a lease. The lease only saves work; what makes it exact is
//! that each transaction moves the fold on from a known place, and fails if it is not there.

use std::time::{Duration, Instant};

use storage::{Db, ErrorKind, Tx};
use telemetry::Metrics;

use super::meters::FoldMeters;
use crate::domain::batch::{self, Batch, Record};
use crate::domain::tally::{Sum, Sums, Tally};
use crate::store::clicks::{self, Waiting};
use crate::store::fold::{self, Fold};
use crate::store::repeats::{self, Hops};
use crate::store::{broken, days};

/// How many clicks one fold takes, up to a group more: what it holds in memory is bounded by this,
/// 32 bytes each.
pub(crate) const CLICKS_MAX: u64 = 4_000_000;
/// How many rows one transaction writes: some milliseconds of the writer.
const ROWS_MAX: usize = 500;
const LEASE: &str = "links.fold";

/// What the groups of a fold come to.
struct Summed {
    sums: Sums,
    clicks: u64,
    hops: Hops,
}

/// Folds clicks.
pub(crate) struct Folder {
    db: Db,
    /// Who folds, and for how long a lease is theirs.
    holder: (String, Duration),
    meters: FoldMeters,
}

impl Folder {
    pub(crate) fn new(db: Db, holder: (String, Duration), metrics: &Metrics) -> Self {
        Self {
            db,
            holder,
            meters: FoldMeters::new(metrics),
        }
    }

    /// What waits, with the clicks of the groups after number `after`.
    pub(crate) async fn waiting(&self, after: i64) -> Result<Waiting, storage::Error> {
        let read = async move |tx: &mut Tx<'_>| clicks::waiting(tx, after).await;
        self.db.read::<_, storage::Error, _>(read).await
    }

    /// Folds the groups up to number `last`, as many of them as one fold takes, unless another
    /// replica does.
    pub(crate) async fn fold(&self, last: i64) -> Result<(), storage::Error> {
        let began = Instant::now();
        let (holder, lease) = self.holder.clone();
        let begin = async move |tx: &mut Tx<'_>| {
            if tx.claim_lease(LEASE, &holder, lease).await?.is_none() {
                return Ok(None);
            }
            fold::begin(tx, last, CLICKS_MAX).await
        };
        let Some(mut fold) = self.db.write::<_, storage::Error, _>(begin).await? else {
            return Ok(());
        };
        let Summed {
            mut sums,
            clicks,
            hops,
        } = self
            .sum(&fold)
            .await
            .inspect_err(|_| self.meters.failures.inc())?;
        while sums.next_link().is_some() {
            let part = next_part(&mut sums);
            if !self.write(&mut fold, part).await? {
                return Ok(());
            }
        }
        // Before the groups go: whoever looks for a request finds it here or there.
        for part in hops.into_parts() {
            let remember = async move |tx: &mut Tx<'_>| repeats::remember(tx, &part).await;
            self.db.write::<_, storage::Error, _>(remember).await?;
        }
        let end = async move |tx: &mut Tx<'_>| fold::end(tx, &fold).await;
        self.db.write::<_, storage::Error, _>(end).await?;
        self.meters.folded.add(clicks);
        self.meters.seconds.observe(began.elapsed());
        Ok(())
    }

    /// Sums up the groups of a fold, for the links that are not written yet.
    async fn sum(&self, fold: &Fold) -> Result<Summed, storage::Error> {
        let read = async move |tx: &mut Tx<'_>| repeats::all(tx).await;
        let repeated = self.db.read::<_, storage::Error, _>(read).await?;
        let wanted = |r: &Record| r.link > fold.pos && !repeated.contains(&r.hop);
        let room = fold.clicks.min(CLICKS_MAX + batch::CLICKS_MAX as u64);
        let mut tally = Tally::with_capacity(usize::try_from(room).unwrap_or(0));
        let (mut clicks, mut hops) = (0, Hops::default());
        for run in fold.runs.0.iter().flat_map(|run| pieces(*run)) {
            let read = async move |tx: &mut Tx<'_>| fold::data(tx, run).await;
            for blob in self.db.read::<_, storage::Error, _>(read).await? {
                let batch = Batch::read(&blob).map_err(|_| broken("group of clicks"))?;
                clicks += batch.len() as u64;
                batch.hops().for_each(|hop| hops.push(hop));
                tally.add(&batch, wanted);
            }
            // A long sum lets others have the thread.
            tokio::task::yield_now().await;
        }
        let sorted = tokio::task::spawn_blocking(move || tally.sums()).await;
        let what = "the clicks of a fold could not be sorted";
        let sums = sorted.map_err(|_| storage::Error::new(ErrorKind::Internal, what))?;
        Ok(Summed { sums, clicks, hops })
    }

    /// Writes the sums of some links and moves the fold on, in one transaction.
    async fn write(&self, fold: &mut Fold, part: Vec<Sum>) -> Result<bool, storage::Error> {
        let Some(to) = part.last().map(|sum| sum.link) else {
            return Ok(true);
        };
        let from = fold.clone();
        let write = async move |tx: &mut Tx<'_>| {
            if !fold::advance(tx, &from, to).await? {
                return Ok(false);
            }
            add_to_store(tx, &part).await.map(|()| true)
        };
        let moved = self.db.write::<_, storage::Error, _>(write).await?;
        fold.pos = to;
        Ok(moved)
    }
}

/// A run in pieces of a size that can be held in memory.
fn pieces(run: (i64, i64)) -> impl Iterator<Item = (i64, i64)> {
    (run.0..=run.1)
        .step_by(64)
        .map(move |first| (first, run.1.min(first + 63)))
}

/// The next sums, all days of a link together.
fn next_part(sums: &mut Sums) -> Vec<Sum> {
    let mut part: Vec<Sum> = Vec::with_capacity(ROWS_MAX);
    while let Some(link) = sums.next_link() {
        if part.len() >= ROWS_MAX && part.last().is_some_and(|last| last.link != link) {
            break;
        }
        part.extend(sums.next());
    }
    part
}

async fn add_to_store(tx: &mut Tx<'_>, part: &[Sum]) -> Result<(), storage::Error> {
    let links = part.chunk_by(|a, b| a.link == b.link);
    let totals: Vec<(i64, u64, i64)> = links
        .map(|days| {
            let clicks = days.iter().map(|sum| sum.counted.clicks()).sum();
            let last = days.iter().map(|sum| sum.last_ms).max().unwrap_or(i64::MIN);
            (days[0].link, clicks, last.saturating_mul(1_000))
        })
        .filter(|(_, clicks, _)| *clicks > 0)
        .collect();
    days::add_totals(tx, &totals).await?;
    let keys: Vec<(i64, i64)> = part.iter().map(|sum| (sum.link, sum.day)).collect();
    let known = days::get_many(tx, &keys).await?;
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for ((link, day), (known, sum)) in keys.into_iter().zip(known.into_iter().zip(part)) {
        match known {
            Some(mut all) => {
                all.merge(&sum.counted);
                old.push((link, day, all.encode()));
            }
            None => new.push((link, day, sum.counted.encode())),
        }
    }
    days::update_many(tx, old).await?;
    days::insert_many(tx, new).await
}

#[cfg(test)]
mod tests;
