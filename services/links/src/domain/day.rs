//! The clicks of one link on one day (UTC), packed into one blob.

use serde::{Deserialize, Serialize};

use super::agent::Platform;
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

/// One visit with its texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit<'a> {
    /// When, in milliseconds since the epoch.
    pub(crate) at_ms: i64,
    /// The visitor's hash of the day.
    pub(crate) visitor: u64,
    /// The device.
    pub(crate) platform: Platform,
    /// Whether a bot came.
    pub(crate) bot: bool,
    /// Whether it was a HEAD request.
    pub(crate) head: bool,
    /// The referrer's host.
    pub(crate) referrer: Option<&'a str>,
    /// The language.
    pub(crate) language: Option<&'a str>,
}

/// The blob is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the clicks of a day cannot be read; they were written by a newer version or are broken")]
pub(crate) struct DayError;

impl Day {
    /// Counts a visit. [`Day::settle`] must follow the last one.
    pub(crate) fn count(&mut self, visit: &Visit<'_>) {
        if visit.head {
            self.heads += 1;
            return;
        }
        if visit.bot {
            self.bots += 1;
            return;
        }
        let hour = visit.at_ms.rem_euclid(DAY_MS) / HOUR_MS;
        self.hours[usize::try_from(hour).unwrap_or(0).min(23)] += 1;
        self.devices[visit.platform as usize] += 1;
        self.referrers.add(visit.referrer.unwrap_or("direct"), 1);
        self.languages.add(visit.language.unwrap_or("unknown"), 1);
        self.waiting.push(visit.visitor);
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
    use super::*;

    fn day(clicks: &[(i64, bool, bool)]) -> Day {
        let mut day = Day::default();
        for (at_ms, bot, head) in clicks {
            day.count(&Visit {
                at_ms: *at_ms,
                visitor: 5,
                platform: Platform::Ios,
                bot: *bot,
                head: *head,
                referrer: Some("a.example"),
                language: Some("de"),
            });
        }
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
