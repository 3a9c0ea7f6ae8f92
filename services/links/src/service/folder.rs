//! The fold: groups of clicks become sums of links and days, exactly once.
//!
//! One replica folds at a time, under a lease. The lease only saves work; what makes it exact is
//! that each transaction moves the fold on from a known place, and fails if it is not there.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use storage::{Db, Tx};
use telemetry::Metrics;

use super::meters::FoldMeters;
use crate::domain::batch::{Batch, Record};
use crate::domain::day::{Day, day_of};
use crate::store::fold::{self, Fold};
use crate::store::{broken, clicks, days, repeats};

/// How many clicks one fold takes at most: what it holds in memory is bounded by this.
const CLICKS_MAX: u64 = 4_000_000;
/// How many rows one transaction writes: some milliseconds of the writer.
const ROWS_MAX: usize = 500;
const LEASE: &str = "links.fold";
const LEASE_TTL: Duration = Duration::from_secs(30);

/// What stands for one link on one day in the groups of a fold.
type Sums = BTreeMap<(i64, i64), (Day, i64)>;
/// One entry of [`Sums`].
type Sum = ((i64, i64), (Day, i64));

/// Folds clicks.
pub(crate) struct Folder {
    db: Db,
    holder: String,
    meters: FoldMeters,
}

impl Folder {
    pub(crate) fn new(db: Db, holder: String, metrics: &Metrics) -> Self {
        Self {
            db,
            holder,
            meters: FoldMeters::new(metrics),
        }
    }

    /// The numbers of the first and the last group that wait; zeros if none does.
    pub(crate) async fn waiting(&self) -> Result<(i64, i64), storage::Error> {
        let read = async move |tx: &mut Tx<'_>| clicks::ends(tx).await;
        let ends = self.db.read::<_, storage::Error, _>(read).await?;
        Ok(ends.unwrap_or((0, 0)))
    }

    /// Folds the groups up to number `last`, unless another replica does. Answers whether more of
    /// them are waiting.
    pub(crate) async fn fold(&self, last: i64) -> Result<bool, storage::Error> {
        let began = Instant::now();
        let holder = self.holder.clone();
        let begin = async move |tx: &mut Tx<'_>| {
            if tx.claim_lease(LEASE, &holder, LEASE_TTL).await?.is_none() {
                return Ok(None);
            }
            fold::begin(tx, last, CLICKS_MAX).await
        };
        let Some(mut fold) = self.db.write::<_, storage::Error, _>(begin).await? else {
            return Ok(false);
        };
        let (sums, clicks) = self
            .sum(&fold)
            .await
            .inspect_err(|_| self.meters.failures.inc())?;
        let mut rows = sums.into_iter().peekable();
        while rows.peek().is_some() {
            let part = next_part(&mut rows);
            if !self.write(&mut fold, part).await? {
                return Ok(false);
            }
        }
        let end = async move |tx: &mut Tx<'_>| fold::end(tx, &fold).await;
        self.db.write::<_, storage::Error, _>(end).await?;
        self.meters.folded.add(clicks);
        self.meters.seconds.observe(began.elapsed());
        Ok(clicks >= CLICKS_MAX)
    }

    /// Sums up the groups of a fold, for the links that are not written yet.
    async fn sum(&self, fold: &Fold) -> Result<(Sums, u64), storage::Error> {
        let read = async move |tx: &mut Tx<'_>| repeats::all(tx).await;
        let repeated = self.db.read::<_, storage::Error, _>(read).await?;
        let mut sums = Sums::new();
        let mut clicks = 0;
        for run in fold.runs.0.iter().flat_map(|run| pieces(*run)) {
            let read = async move |tx: &mut Tx<'_>| fold::data(tx, run).await;
            for blob in self.db.read::<_, storage::Error, _>(read).await? {
                let batch = Batch::read(&blob).map_err(|_| broken("group of clicks"))?;
                clicks += batch.len() as u64;
                add(&mut sums, &batch, fold.pos, &repeated);
            }
            // A long sum lets others have the thread.
            tokio::task::yield_now().await;
        }
        sums.values_mut().for_each(|(day, _)| day.settle());
        Ok((sums, clicks))
    }

    /// Writes the sums of some links and moves the fold on, in one transaction.
    async fn write(&self, fold: &mut Fold, part: Vec<Sum>) -> Result<bool, storage::Error> {
        let Some(to) = part.last().map(|((link, _), _)| *link) else {
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

fn add(sums: &mut Sums, batch: &Batch<'_>, after: i64, repeated: &HashSet<u64>) {
    let counts = |r: &Record| r.link > after && !repeated.contains(&r.hop);
    for record in batch.iter().filter(counts) {
        let key = (record.link, day_of(record.at_ms));
        let (day, last) = sums
            .entry(key)
            .or_insert_with(|| (Day::default(), i64::MIN));
        day.count(&record, batch);
        if !record.bot && !record.head {
            *last = (*last).max(record.at_ms);
        }
    }
}

/// The next rows, all days of a link together.
fn next_part(rows: &mut std::iter::Peekable<impl Iterator<Item = Sum>>) -> Vec<Sum> {
    let mut part: Vec<Sum> = Vec::new();
    while let Some(((link, _), _)) = rows.peek() {
        if part.len() >= ROWS_MAX && part.last().is_some_and(|((last, _), _)| last != link) {
            break;
        }
        part.extend(rows.next());
    }
    part
}

async fn add_to_store(tx: &mut Tx<'_>, part: &[Sum]) -> Result<(), storage::Error> {
    let mut totals: BTreeMap<i64, (u64, i64)> = BTreeMap::new();
    for ((link, _), (day, last)) in part {
        let total = totals.entry(*link).or_insert((0, i64::MIN));
        *total = (total.0 + day.clicks(), total.1.max(*last));
    }
    let totals: Vec<(i64, u64, i64)> = totals
        .into_iter()
        .filter(|(_, (clicks, _))| *clicks > 0)
        .map(|(link, (clicks, last))| (link, clicks, last.saturating_mul(1_000)))
        .collect();
    days::add_totals(tx, &totals).await?;
    let keys: Vec<(i64, i64)> = part.iter().map(|(key, _)| *key).collect();
    let mut known: BTreeMap<(i64, i64), Day> =
        days::get_many(tx, &keys).await?.into_iter().collect();
    let rows = part.iter().map(|(key, (day, _))| {
        let data = match known.remove(key) {
            Some(mut before) => {
                before.merge(day);
                before.encode()
            }
            None => day.encode(),
        };
        (key.0, key.1, data)
    });
    days::put_many(tx, rows.collect()).await
}
