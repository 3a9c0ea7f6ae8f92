//! A group of clicks as one blob: a dictionary of texts, then records of a fixed size.
//!
//! ```text
//! version u8 | base_ms i64 | texts u16 | records u32 | texts (u8 length, bytes) | records | hops
//! record: link i64 | visitor u64 | ms after base u24 + flags u8 | referrer u16 | language u16
//! hops: one u64 a record, only in version 2
//! ```
//! All numbers are little-endian. Fixed records are quick to write on the click path and can be
//! scanned for one link without being decoded.

use super::agent::Platform;
use super::day::Visit;

/// The most clicks of one batch.
pub(crate) const CLICKS_MAX: usize = 32 * 1024;
const VERSION: u8 = 1;
/// Some of its clicks came through another process of ours.
const VERSION_HOPS: u8 = 2;
const HOP: usize = 8;
const HEADER: usize = 15;
const RECORD: usize = 24;
/// The longest text of the dictionary, in bytes.
const TEXT_BYTES_MAX: usize = 255;
/// No text.
const NONE: u16 = u16::MAX;
const BOT: u8 = 0b0000_1000;
const HEAD: u8 = 0b0001_0000;

/// One click as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    /// The link's number; negative for visits that found none.
    pub(crate) link: i64,
    /// The visitor's hash of the day.
    pub(crate) visitor: u64,
    /// When, in milliseconds since the epoch.
    pub(crate) at_ms: i64,
    /// The device.
    pub(crate) platform: Platform,
    /// Whether a bot came.
    pub(crate) bot: bool,
    /// Whether it was a HEAD request.
    pub(crate) head: bool,
    /// The text that is the referrer's host.
    pub(crate) referrer: Option<u16>,
    /// The text that is the language.
    pub(crate) language: Option<u16>,
    /// The number of the request that the gateway has handed on; 0 if it has none.
    pub(crate) hop: u64,
}

/// Writes batches.
pub(crate) struct Writer {
    bytes: Vec<u8>,
    base_ms: i64,
    records: u32,
    hops: Vec<u64>,
}

impl Writer {
    /// A batch with this dictionary, of at most 65,535 texts, for clicks from `base_ms` on.
    pub(crate) fn new<'a>(
        base_ms: i64,
        texts: impl ExactSizeIterator<Item = &'a str>,
        records: usize,
    ) -> Self {
        let mut bytes = Vec::with_capacity(HEADER + texts.len() * 16 + records * RECORD);
        bytes.push(VERSION);
        bytes.extend_from_slice(&base_ms.to_le_bytes());
        let count = u16::try_from(texts.len()).unwrap_or(NONE);
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&0_u32.to_le_bytes());
        for text in texts.take(usize::from(count)) {
            let cut = floor_char(text, TEXT_BYTES_MAX);
            bytes.push(u8::try_from(cut.len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(cut.as_bytes());
        }
        Self {
            bytes,
            base_ms,
            records: 0,
            hops: Vec::with_capacity(records),
        }
    }

    /// Appends a click.
    pub(crate) fn push(&mut self, record: &Record) {
        let after = (record.at_ms - self.base_ms).clamp(0, 0xFF_FFFF);
        let flags = record.platform as u8
            | if record.bot { BOT } else { 0 }
            | if record.head { HEAD } else { 0 };
        let mut out = [0_u8; RECORD];
        out[0..8].copy_from_slice(&record.link.to_le_bytes());
        out[8..16].copy_from_slice(&record.visitor.to_le_bytes());
        out[16..19].copy_from_slice(&after.to_le_bytes()[..3]);
        out[19] = flags;
        out[20..22].copy_from_slice(&record.referrer.unwrap_or(NONE).to_le_bytes());
        out[22..24].copy_from_slice(&record.language.unwrap_or(NONE).to_le_bytes());
        self.bytes.extend_from_slice(&out);
        self.hops.push(record.hop);
        self.records += 1;
    }

    /// The blob.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes[11..15].copy_from_slice(&self.records.to_le_bytes());
        if self.hops.iter().any(|hop| *hop != 0) {
            self.bytes[0] = VERSION_HOPS;
            let hops = self.hops.iter().flat_map(|hop| hop.to_le_bytes());
            self.bytes.extend(hops);
        }
        self.bytes
    }
}

fn floor_char(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The blob is no batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a batch of clicks cannot be read; it was written by a newer version or is broken")]
pub(crate) struct BatchError;

/// A batch that is read.
pub(crate) struct Batch<'a> {
    /// No click of it is earlier, in milliseconds since the epoch.
    pub(crate) base_ms: i64,
    /// The dictionary.
    pub(crate) texts: Vec<&'a str>,
    records: &'a [u8],
    /// Empty if no click has one.
    hops: &'a [u8],
}

impl<'a> Batch<'a> {
    /// Reads a blob.
    pub(crate) fn read(blob: &'a [u8]) -> Result<Self, BatchError> {
        if blob.len() < HEADER || !matches!(blob[0], VERSION | VERSION_HOPS) {
            return Err(BatchError);
        }
        let count = usize::from(u16_at(blob, 9));
        let records = u32_at(blob, 11) as usize;
        let mut rest = &blob[HEADER..];
        let mut texts = Vec::with_capacity(count);
        for _ in 0..count {
            let (length, tail) = rest.split_first().ok_or(BatchError)?;
            let (text, tail) = tail
                .split_at_checked(usize::from(*length))
                .ok_or(BatchError)?;
            texts.push(std::str::from_utf8(text).map_err(|_| BatchError)?);
            rest = tail;
        }
        let (rest, hops) = rest
            .split_at_checked(records.saturating_mul(RECORD))
            .ok_or(BatchError)?;
        let of_hops = if blob[0] == VERSION_HOPS { HOP } else { 0 };
        if hops.len() != records * of_hops {
            return Err(BatchError);
        }
        Ok(Self {
            base_ms: i64_at(blob, 1),
            texts,
            records: rest,
            hops,
        })
    }

    /// How many clicks it holds.
    pub(crate) const fn len(&self) -> usize {
        self.records.len() / RECORD
    }

    /// Every click.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Record> {
        (0..self.len()).map(|number| self.record(number))
    }

    /// The numbers of the requests of its clicks, of those that have one.
    pub(crate) fn hops(&self) -> impl Iterator<Item = u64> {
        let all = self.hops.as_chunks::<HOP>().0.iter();
        all.map(|bytes| u64::from_le_bytes(*bytes))
            .filter(|hop| *hop != 0)
    }

    /// The clicks of one link.
    pub(crate) fn of_link(&self, link: i64) -> impl Iterator<Item = Record> {
        let wanted = link.to_le_bytes();
        let numbered = self.records.chunks_exact(RECORD).enumerate();
        numbered
            .filter(move |(_, bytes)| bytes[..8] == wanted)
            .map(|(number, _)| self.record(number))
    }

    /// A click of this batch with its texts.
    pub(crate) fn visit(&self, record: &Record) -> Visit<'a> {
        Visit {
            at_ms: record.at_ms,
            visitor: record.visitor,
            platform: record.platform,
            bot: record.bot,
            head: record.head,
            referrer: self.text(record.referrer),
            language: self.text(record.language),
        }
    }

    /// The text with this number.
    fn text(&self, number: Option<u16>) -> Option<&'a str> {
        number.and_then(|n| self.texts.get(usize::from(n)).copied())
    }

    fn record(&self, number: usize) -> Record {
        let bytes = &self.records[number * RECORD..][..RECORD];
        let after = i64::from(u32_at(bytes, 16) & 0xFF_FFFF);
        let flags = bytes[19];
        let text = |at| Some(u16_at(bytes, at)).filter(|n| *n != NONE);
        Record {
            link: i64_at(bytes, 0),
            visitor: i64_at(bytes, 8).cast_unsigned(),
            at_ms: self.base_ms + after,
            platform: Platform::of(flags & 7),
            bot: flags & BOT != 0,
            head: flags & HEAD != 0,
            referrer: text(20),
            language: text(22),
            hop: self
                .hops
                .get(number * HOP..)
                .filter(|hops| !hops.is_empty())
                .map_or(0, |hops| i64_at(hops, 0).cast_unsigned()),
        }
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(array(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(link: i64, at_ms: i64, flags: (u8, bool, bool), visitor: u64) -> Record {
        Record {
            link,
            visitor,
            at_ms,
            platform: Platform::of(flags.0),
            bot: flags.1,
            head: flags.2,
            referrer: Some(0),
            language: None,
            hop: 0,
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            clicks in prop::collection::vec((any::<i64>(), 0..0xFF_FFFF_i64, 0..5_u8, any::<bool>(), any::<bool>(), any::<u64>(), 0..3_u64), 0..50),
            texts in prop::collection::vec("\\PC{0,20}", 0..5),
        ) {
            let base = 1_764_000_000_000_i64;
            let records: Vec<Record> = clicks.iter()
                .map(|(link, after, p, bot, head, v, hop)| Record { hop: *hop, ..record(*link, base + after, (*p, *bot, *head), *v) })
                .collect();
            let mut writer = Writer::new(base, texts.iter().map(String::as_str), records.len());
            records.iter().for_each(|r| writer.push(r));
            let blob = writer.finish();
            let batch = Batch::read(&blob).expect("a batch");
            let hops = || records.iter().map(|r| r.hop).filter(|hop| *hop != 0);
            prop_assert!(batch.hops().eq(hops()));
            prop_assert_eq!(batch.iter().collect::<Vec<_>>(), records);
            prop_assert_eq!(&batch.texts, &texts);
        }

        #[test]
        fn no_blob_makes_the_reader_panic(
            blob in prop::collection::vec(any::<u8>(), 0..200),
            version in VERSION..=VERSION_HOPS,
        ) {
            let mut marked = blob;
            if let Some(first) = marked.first_mut() {
                *first = version;
            }
            if let Ok(batch) = Batch::read(&marked) {
                prop_assert_eq!(batch.iter().count(), batch.len());
            }
        }
    }

    #[test]
    fn one_link_is_found_without_the_others() {
        let mut writer = Writer::new(0, ["a.example"].into_iter(), 3);
        for link in [7, 8, 7] {
            writer.push(&record(link, 1, (1, false, false), 9));
        }
        let blob = writer.finish();
        let batch = Batch::read(&blob).expect("a batch");
        assert_eq!(batch.of_link(7).count(), 2);
        assert_eq!(
            batch.text(batch.of_link(8).next().expect("one").referrer),
            Some("a.example")
        );
    }
}
