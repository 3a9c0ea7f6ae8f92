//! The clicks of one link on one day (UTC), packed into one blob.

use serde::{Deserialize, Serialize};

use super::agent::Platform;
use super::batch::{Batch, Record};
use super::top::Top;
use super::visitors::Visitors;

/// Milliseconds of an hour.
pub(crate) const HOUR_MS: i64 = 3_600_000;
/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
const VERSION: u8 = 1;

/// The day of a moment, counted since the epoch.
pub(crate) const fn day_of(at_ms: i64) -> i64 {
    at_ms.div_euclid(DAY_MS)
}

/// The clicks of one link on one day. Bots and HEAD are no clicks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Day {
    /// Clicks of each hour.
    pub(crate) hours: [u32; 24],
    /// Visits by bots.
    pub(crate) bots: u32,
    /// HEAD requests.
    pub(crate) heads: u32,
    /// Clicks by device, in the order of [`Platform::ALL`].
    pub(crate) devices: [u32; 5],
    /// Clicks by the referrer's host.
    pub(crate) referrers: Top,
    /// Clicks by language.
    pub(crate) languages: Top,
    /// Who came.
    pub(crate) visitors: Visitors,
    /// Hashes that wait to be sorted in.
    #[serde(skip)]
    waiting: Vec<u64>,
}

/// The blob is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the clicks of a day cannot be read; they were written by a newer version or are broken")]
pub(crate) struct DayError;

impl Day {
    /// Counts a visit. [`Day::settle`] must follow the last one.
    pub(crate) fn count(&mut self, record: &Record, batch: &Batch<'_>) {
        if record.head {
            self.heads += 1;
            return;
        }
        if record.bot {
            self.bots += 1;
            return;
        }
        let hour = record.at_ms.rem_euclid(DAY_MS) / HOUR_MS;
        self.hours[usize::try_from(hour).unwrap_or(0).min(23)] += 1;
        self.devices[record.platform as usize] += 1;
        self.referrers
            .add(batch.text(record.referrer).unwrap_or("direct"), 1);
        self.languages
            .add(batch.text(record.language).unwrap_or("unknown"), 1);
        self.waiting.push(record.visitor);
        if self.waiting.len() >= 4_096 {
            self.settle();
        }
    }

    /// Sorts in what waits, and keeps to the bounds.
    pub(crate) fn settle(&mut self) {
        if !self.waiting.is_empty() {
            self.visitors.add(&std::mem::take(&mut self.waiting));
        }
        self.referrers.trim();
        self.languages.trim();
    }

    /// Adds everything of `more`.
    pub(crate) fn merge(&mut self, more: &Self) {
        self.hours
            .iter_mut()
            .zip(more.hours)
            .for_each(|(a, b)| *a += b);
        self.devices
            .iter_mut()
            .zip(more.devices)
            .for_each(|(a, b)| *a += b);
        self.bots += more.bots;
        self.heads += more.heads;
        self.referrers.merge(&more.referrers);
        self.languages.merge(&more.languages);
        self.visitors.merge(&more.visitors);
        self.waiting.extend_from_slice(&more.waiting);
        self.settle();
    }

    /// Clicks of the day.
    pub(crate) fn clicks(&self) -> u64 {
        self.hours.iter().map(|n| u64::from(*n)).sum()
    }

    /// Clicks of each device.
    pub(crate) fn devices(&self) -> impl Iterator<Item = (&'static str, u32)> {
        Platform::ALL
            .iter()
            .map(|p| (p.name(), self.devices[*p as usize]))
    }

    /// The blob.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let out = postcard::to_extend(self, vec![VERSION]);
        out.expect("a vector takes everything that postcard writes")
    }

    /// Reads a blob.
    pub(crate) fn decode(blob: &[u8]) -> Result<Self, DayError> {
        match blob.split_first() {
            Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|_| DayError),
            _ => Err(DayError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::Writer;
    use super::*;

    fn blob(clicks: &[(i64, bool, bool)]) -> Vec<u8> {
        let mut writer = Writer::new(0, ["a.example", "de"].into_iter(), clicks.len());
        for (at_ms, bot, head) in clicks {
            writer.push(&Record {
                link: 1,
                visitor: 5,
                at_ms: *at_ms,
                platform: Platform::Ios,
                bot: *bot,
                head: *head,
                referrer: Some(0),
                language: Some(1),
                hop: 0,
            });
        }
        writer.finish()
    }

    fn day(clicks: &[(i64, bool, bool)]) -> Day {
        let blob = blob(clicks);
        let batch = Batch::read(&blob).expect("a batch");
        let mut day = Day::default();
        batch.iter().for_each(|r| day.count(&r, &batch));
        day.settle();
        day
    }

    #[test]
    fn bots_and_heads_are_apart_from_clicks() {
        let day = day(&[
            (0, false, false),
            (HOUR_MS, false, false),
            (1, true, false),
            (2, false, true),
        ]);
        assert_eq!((day.clicks(), day.bots, day.heads), (2, 1, 1));
        assert_eq!((day.hours[0], day.hours[1]), (1, 1));
        assert_eq!(day.visitors.count(), (1, true));
        assert_eq!(day.referrers.iter().collect::<Vec<_>>(), [("a.example", 2)]);
    }

    #[test]
    fn a_blob_is_read_back_and_halves_add_up() {
        let mut left = day(&[(0, false, false), (1, true, false)]);
        let right = day(&[(5, false, false)]);
        left.merge(&right);
        assert_eq!(
            left,
            day(&[(0, false, false), (1, true, false), (5, false, false)])
        );
        assert_eq!(Day::decode(&left.encode()), Ok(left));
        assert_eq!(Day::decode(&[9, 9]), Err(DayError));
    }
}
