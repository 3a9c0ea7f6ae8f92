//! The clicks of a link, exact to the click when read: the sums, and what is not folded yet.

use std::collections::{BTreeMap, HashSet};

use contracts::links::{
    Bucket, Count, GetOrphans, GetStats, LinkStats, LinksError, Moment, OrphanStats, SeriesPoint,
};
use kernel::Timestamp;
use storage::Tx;

use super::Service;
use crate::domain::batch::{Batch, Record};
use crate::domain::day::{DAY_MS, Day, HOUR_MS, day_of};
use crate::domain::top::Top;
use crate::store::{Fail, broken, clicks, days, fold, repeats};

/// The most days of a range.
const DAYS_MAX: i64 = 400;
/// The days of a range that nobody named.
const DAYS_USUAL: i64 = 30;
/// Visits of `/`.
pub(crate) const ORPHAN_BASE: i64 = -1;
/// Visits of codes that no link has.
pub(crate) const ORPHAN_CODE: i64 = -2;
/// Visits of paths that cannot be a code.
pub(crate) const ORPHAN_PATH: i64 = -3;

/// A range of whole hours, in milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    from: i64,
    until: i64,
}

impl Range {
    fn of(from: Option<Moment>, until: Option<Moment>, now: Timestamp) -> Result<Self, LinksError> {
        // The click of this very moment belongs to it.
        let end = until.map_or(now.millis() + 1, |m| m.0.millis());
        // Rounded up to an hour.
        let until = -(-end).div_euclid(HOUR_MS) * HOUR_MS;
        let begin = from.map_or(until - DAYS_USUAL * DAY_MS, |m| m.0.millis());
        if begin >= end {
            let detail = "the range is empty; 'from' comes before 'until'";
            return Err(LinksError::invalid("from", detail));
        }
        let from = begin.div_euclid(HOUR_MS) * HOUR_MS;
        if until - from > DAYS_MAX * DAY_MS {
            return Err(LinksError::invalid("from", "a range has at most 400 days"));
        }
        Ok(Self { from, until })
    }

    fn days(self) -> (i64, i64) {
        (day_of(self.from), day_of(self.until - 1))
    }
}

/// What is known of one link.
struct Known {
    total: u64,
    days: BTreeMap<i64, Day>,
}

impl Service {
    /// The clicks of a link.
    pub(crate) async fn stats(&self, request: GetStats) -> Result<LinkStats, LinksError> {
        let range = Range::of(request.from, request.until, self.ctx.now())?;
        let (link, _) = self.find(request.link, request.domain.as_deref()).await?;
        let known = self.known(vec![link.num], range).await?.remove(&link.num);
        let known = known.unwrap_or(Known {
            total: 0,
            days: BTreeMap::new(),
        });
        let series = series(&known.days, range, request.by.unwrap_or_default());
        let (mut visitors, mut visitors_exact) = (0, true);
        let mut devices: BTreeMap<&'static str, u64> = BTreeMap::new();
        let (mut bots, mut heads) = (0, 0);
        let (mut referrers, mut languages) = (Top::default(), Top::default());
        for day in known.days.values() {
            let (count, exact) = day.visitors.count();
            visitors += count;
            visitors_exact &= exact;
            bots += u64::from(day.bots);
            heads += u64::from(day.heads);
            referrers.merge(&day.referrers);
            languages.merge(&day.languages);
            day.devices()
                .for_each(|(name, n)| *devices.entry(name).or_default() += u64::from(n));
        }
        let devices = devices.into_iter().filter(|(_, n)| *n > 0);
        Ok(LinkStats {
            id: link.id,
            total_clicks: known.total,
            from: moment(range.from),
            until: moment(range.until),
            clicks: series.iter().map(|p| p.clicks).sum(),
            bots,
            heads,
            visitors,
            visitors_exact,
            series,
            referrers: counts(referrers.iter().map(|(name, n)| (name, u64::from(n)))),
            devices: counts(devices),
            languages: counts(languages.iter().map(|(name, n)| (name, u64::from(n)))),
        })
    }

    /// Visits that found no link.
    pub(crate) async fn orphans(&self, request: GetOrphans) -> Result<OrphanStats, LinksError> {
        let range = Range::of(request.from, request.until, self.ctx.now())?;
        let kinds = [ORPHAN_BASE, ORPHAN_CODE, ORPHAN_PATH];
        let known = self.known(kinds.to_vec(), range).await?;
        let days = |kind: i64| known.get(&kind).into_iter().flat_map(|k| k.days.values());
        let visits = |kind| days(kind).map(Day::clicks).sum();
        let mut paths = Top::default();
        kinds
            .iter()
            .flat_map(|kind| days(*kind))
            .for_each(|day| paths.merge(&day.referrers));
        paths.trim();
        Ok(OrphanStats {
            base_url: visits(ORPHAN_BASE),
            unknown_code: visits(ORPHAN_CODE),
            other_path: visits(ORPHAN_PATH),
            paths: counts(paths.iter().map(|(name, n)| (name, u64::from(n)))),
        })
    }

    /// Sums and waiting clicks of links, in one snapshot.
    async fn known(
        &self,
        links: Vec<i64>,
        range: Range,
    ) -> Result<BTreeMap<i64, Known>, LinksError> {
        // What this replica has answered is committed first; other replicas commit every few
        // milliseconds by themselves.
        self.recorder.flush().await.map_err(Fail::from)?;
        self.recorder.repeats.settle().await.map_err(Fail::from)?;
        let read = async move |tx: &mut Tx<'_>| {
            let mut known = BTreeMap::new();
            let (first, last) = range.days();
            for link in &links {
                let total = days::total(tx, *link).await?;
                let days = days::range(tx, *link, first, last)
                    .await?
                    .into_iter()
                    .collect();
                known.insert(*link, Known { total, days });
            }
            let fold = fold::state(tx).await?;
            let repeated = repeats::all(tx).await?;
            let mut after = 0;
            loop {
                let groups = clicks::pending(tx, after).await?;
                let Some((last, _)) = groups.last() else {
                    break;
                };
                after = *last;
                for (seq, blob) in groups {
                    let batch = Batch::read(&blob).map_err(|_| broken("group of clicks"))?;
                    for (link, known) in &mut known {
                        if !fold.has_written(seq, *link) {
                            add(known, (*link, range), &batch, &repeated);
                        }
                    }
                }
            }
            known
                .values_mut()
                .flat_map(|k| k.days.values_mut())
                .for_each(Day::settle);
            Ok::<_, Fail>(known)
        };
        Ok(self.db.read(read).await?)
    }
}

fn add(known: &mut Known, (link, range): (i64, Range), batch: &Batch<'_>, repeated: &HashSet<u64>) {
    let (first, last) = range.days();
    let counts = |r: &Record| !repeated.contains(&r.hop);
    for record in batch.of_link(link).filter(counts) {
        known.total += u64::from(!record.bot && !record.head);
        let day = day_of(record.at_ms);
        if (first..=last).contains(&day) {
            let counted = known.days.entry(day).or_default();
            counted.count(&batch.visit(&record));
        }
    }
}

/// Every bucket of the range, empty ones too.
fn series(days: &BTreeMap<i64, Day>, range: Range, by: Bucket) -> Vec<SeriesPoint> {
    let hour = |at: i64| {
        let hour = usize::try_from(at.rem_euclid(DAY_MS) / HOUR_MS).unwrap_or(0);
        days.get(&day_of(at))
            .map_or(0, |day| u64::from(day.hours[hour]))
    };
    let width = match by {
        Bucket::Hour => HOUR_MS,
        Bucket::Day => DAY_MS,
    };
    let mut points: Vec<SeriesPoint> = Vec::new();
    let mut at = range.from;
    while at < range.until {
        let bucket = moment(at.div_euclid(width) * width);
        match points.last_mut().filter(|p| p.at == bucket) {
            Some(point) => point.clicks += hour(at),
            None => points.push(SeriesPoint {
                at: bucket,
                clicks: hour(at),
            }),
        }
        at += HOUR_MS;
    }
    points
}

fn counts<'a>(all: impl Iterator<Item = (&'a str, u64)>) -> Vec<Count> {
    let mut counts: Vec<Count> = all
        .map(|(name, clicks)| Count {
            name: name.to_owned(),
            clicks,
        })
        .collect();
    counts.sort_by(|a, b| b.clicks.cmp(&a.clicks).then_with(|| a.name.cmp(&b.name)));
    counts
}

fn moment(ms: i64) -> Moment {
    Moment(Timestamp::from_millis(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_whole_hours_and_days_are_not_cut() {
        let at = |text: &str| Some(text.parse::<Moment>().expect("a time"));
        let range = Range::of(
            at("2026-11-23T10:30:00Z"),
            at("2026-11-24T09:30:00Z"),
            Timestamp(0),
        );
        let range = range.expect("a range");
        let hours = series(&BTreeMap::new(), range, Bucket::Hour);
        assert_eq!(hours.len(), 24);
        assert_eq!(hours[0].at.to_string(), "2026-11-23T10:00:00.000Z");
        let days = series(&BTreeMap::new(), range, Bucket::Day);
        assert_eq!(days.len(), 2);
    }

    #[test]
    fn an_empty_or_endless_range_is_refused() {
        let at = |s: i64| Some(Moment(Timestamp::from_secs(s)));
        assert!(Range::of(at(10_000), at(10_000), Timestamp(0)).is_err());
        assert!(Range::of(at(0), at(500 * 86_400), Timestamp(0)).is_err());
    }
}
