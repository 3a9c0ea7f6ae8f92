//! Clicks of many groups, brought together by link and day.
//!
//! They are kept as small records and sorted once, so that a fold of many links holds little memory
//! and makes one day at a time.

use std::collections::HashMap;

use super::agent::Platform;
use super::batch::{Batch, Record};
use super::day::{Day, Visit, day_of};
use super::top::OTHER;

/// How many texts are told apart in one tally; further ones are counted together.
const TEXTS_MAX: usize = 65_536;
/// The number of no text.
const NONE: u16 = 0;
/// The number of every text that does not fit.
const REST: u16 = 1;

/// Clicks as they come.
pub(crate) struct Tally {
    clicks: Vec<Click>,
    /// Each text of the groups by its number; the first two stand for none and for the rest.
    texts: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u16>,
}

/// What `service::folder` reckons with.
const _: () = assert!(size_of::<Click>() == 32);
const _: () = assert!(TEXTS_MAX <= 1 + u16::MAX as usize);

/// One click.
#[derive(Debug, Clone, Copy)]
struct Click {
    link: i64,
    at_ms: i64,
    visitor: u64,
    referrer: u16,
    language: u16,
    platform: Platform,
    bot: bool,
    head: bool,
}

/// The clicks of one link on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sum {
    /// The link's number.
    pub(crate) link: i64,
    /// The day, counted since the epoch.
    pub(crate) day: i64,
    /// What was counted.
    pub(crate) counted: Day,
    /// When the last click was that counts, in milliseconds; `i64::MIN` if none does.
    pub(crate) last_ms: i64,
}

impl Tally {
    /// A tally of about so many clicks. Their memory is asked for once: a tally of millions that
    /// grew by doubling would be copied on the way, and the kernel would clear twice the pages.
    pub(crate) fn with_capacity(clicks: usize) -> Self {
        Self {
            clicks: Vec::with_capacity(clicks),
            texts: vec!["".into(), OTHER.into()],
            numbers: HashMap::from([(OTHER.into(), REST)]),
        }
    }

    /// Takes the clicks of a group that are `wanted`.
    pub(crate) fn add(&mut self, batch: &Batch<'_>, wanted: impl Fn(&Record) -> bool) {
        let numbers: Vec<u16> = batch.texts.iter().map(|text| self.number(text)).collect();
        let number = |text: Option<u16>| {
            let known = text.and_then(|text| numbers.get(usize::from(text)));
            known.copied().unwrap_or(NONE)
        };
        let records = batch.iter().filter(wanted);
        self.clicks.extend(records.map(|record| Click {
            link: record.link,
            at_ms: record.at_ms,
            visitor: record.visitor,
            referrer: number(record.referrer),
            language: number(record.language),
            platform: record.platform,
            bot: record.bot,
            head: record.head,
        }));
    }

    /// The number of `text`.
    fn number(&mut self, text: &str) -> u16 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        if self.texts.len() >= TEXTS_MAX {
            return REST;
        }
        let number = u16::try_from(self.texts.len()).unwrap_or(REST);
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }

    /// The sums by link, then by day. Sorts, which takes some 60 ns a click of the thread.
    pub(crate) fn sums(mut self) -> Sums {
        self.clicks
            .sort_unstable_by_key(|click| (click.link, click.at_ms));
        Sums { of: self, at: 0 }
    }

    fn text(&self, number: u16) -> Option<&str> {
        if number == NONE {
            return None;
        }
        self.texts.get(usize::from(number)).map(AsRef::as_ref)
    }
}

/// The sums of a tally, made one at a time.
pub(crate) struct Sums {
    of: Tally,
    at: usize,
}

impl Sums {
    /// The link that the next sum is of.
    pub(crate) fn next_link(&self) -> Option<i64> {
        self.of.clicks.get(self.at).map(|click| click.link)
    }

    /// For how many clicks there is memory.
    #[cfg(test)]
    pub(crate) const fn capacity(&self) -> usize {
        self.of.clicks.capacity()
    }
}

impl Iterator for Sums {
    type Item = Sum;

    fn next(&mut self) -> Option<Sum> {
        let rest = self.of.clicks.get(self.at..)?;
        let first = rest.first()?;
        let mut sum = Sum {
            link: first.link,
            day: day_of(first.at_ms),
            counted: Day::default(),
            last_ms: i64::MIN,
        };
        let same = |click: &&Click| click.link == sum.link && day_of(click.at_ms) == sum.day;
        for click in rest.iter().take_while(same) {
            self.at += 1;
            sum.counted.count(&Visit {
                at_ms: click.at_ms,
                visitor: click.visitor,
                platform: click.platform,
                bot: click.bot,
                head: click.head,
                referrer: self.of.text(click.referrer),
                language: self.of.text(click.language),
            });
            if !click.bot && !click.head {
                sum.last_ms = click.at_ms;
            }
        }
        sum.counted.settle();
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::batch::Writer;
    use super::super::day::DAY_MS;
    use super::*;

    fn record(link: i64, at_ms: i64, bot: bool, referrer: Option<u16>) -> Record {
        Record {
            link,
            visitor: at_ms.unsigned_abs(),
            at_ms,
            platform: Platform::Ios,
            bot,
            head: false,
            referrer,
            language: None,
            hop: 0,
        }
    }

    fn group(base_ms: i64, texts: &[&str], records: &[Record]) -> Vec<u8> {
        let mut writer = Writer::new(base_ms, texts.iter().copied(), records.len());
        records.iter().for_each(|record| writer.push(record));
        writer.finish()
    }

    fn sums(groups: &[Vec<u8>]) -> Vec<Sum> {
        let mut tally = Tally::with_capacity(0);
        for blob in groups {
            tally.add(&Batch::read(blob).expect("a batch"), |_| true);
        }
        tally.sums().collect()
    }

    #[test]
    fn numbers_of_texts_are_of_their_group() {
        let one = group(
            0,
            &["a.example", "b.example"],
            &[record(1, 5, false, Some(1))],
        );
        let two = group(0, &["b.example"], &[record(1, 7, false, Some(0))]);
        let sums = sums(&[one, two]);
        assert_eq!(sums.len(), 1);
        assert_eq!(sums[0].last_ms, 7);
        let names: Vec<_> = sums[0].counted.referrers.iter().collect();
        assert_eq!(names, [("b.example", 2)]);
    }

    #[test]
    fn what_has_no_room_is_counted_together() {
        let mut tally = Tally::with_capacity(0);
        for i in 0..2 * TEXTS_MAX {
            tally.number(&i.to_string());
        }
        let blob = group(0, &["late.example"], &[record(1, 5, false, Some(0))]);
        tally.add(&Batch::read(&blob).expect("a batch"), |_| true);
        assert_eq!(tally.texts.len(), TEXTS_MAX);
        let sum = tally.sums().next().expect("a sum");
        assert_eq!(
            sum.counted.referrers.iter().collect::<Vec<_>>(),
            [(OTHER, 1)]
        );
    }

    proptest! {
        #[test]
        fn every_click_is_in_the_sum_of_its_link_and_day(
            clicks in proptest::collection::vec((1..5_i64, 0..3_i64, any::<bool>()), 0..200),
        ) {
            // Three groups, each of its own day, so that a link's days come from several.
            let groups: Vec<Vec<u8>> = (0..3).map(|day| {
                let of_day = clicks.iter().filter(|click| click.1 == day);
                let records: Vec<Record> = of_day
                    .enumerate()
                    .map(|(i, (link, day, bot))| {
                        let at = day * DAY_MS + i64::try_from(i).expect("small");
                        record(*link, at, *bot, None)
                    })
                    .collect();
                group(day * DAY_MS, &[], &records)
            }).collect();
            let sums = sums(&groups);
            prop_assert!(sums.is_sorted_by_key(|sum| (sum.link, sum.day)));
            for sum in &sums {
                let of = |bot| clicks.iter().filter(move |c| c.0 == sum.link && c.1 == sum.day && c.2 == bot);
                prop_assert_eq!(sum.counted.clicks(), of(false).count() as u64);
                prop_assert_eq!(sum.counted.bots as usize, of(true).count());
                prop_assert_eq!(sum.last_ms == i64::MIN, of(false).count() == 0);
            }
            let all: u64 = sums.iter().map(|s| s.counted.clicks() + u64::from(s.counted.bots)).sum();
            prop_assert_eq!(all, clicks.len() as u64);
        }
    }
}
