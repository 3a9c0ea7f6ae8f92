//! From the buffer to batches: agents classified, languages named, addresses hashed.

use std::collections::HashSet;

use super::salts::Salts;
use super::shard::{Click, Drained, Texts};
use crate::domain::agent::Agent;
use crate::domain::batch::{CLICKS_MAX, Record, Writer};
use crate::domain::day::day_of;
use crate::domain::language;
use crate::domain::top::OTHER;
use crate::store::clicks::Group;

/// The most texts of a batch's dictionary.
const TEXTS_MAX: usize = 60_000;

/// What a shard's texts mean, each found out once.
struct Meaning {
    agents: Vec<Option<Agent>>,
    /// The number in the batch's dictionary of a text as a referrer, and as a language.
    referrers: Vec<Option<u16>>,
    languages: Vec<Option<u16>>,
    dictionary: Vec<String>,
}

impl Meaning {
    fn new(texts: &Texts) -> Self {
        let count = texts.all.len() + 1;
        Self {
            agents: vec![None; count],
            referrers: vec![None; count],
            languages: vec![None; count],
            dictionary: vec![OTHER.to_owned()],
        }
    }

    fn word(dictionary: &mut Vec<String>, word: String) -> u16 {
        if dictionary.len() >= TEXTS_MAX {
            return 0;
        }
        dictionary.push(word);
        u16::try_from(dictionary.len() - 1).unwrap_or(0)
    }

    fn referrer(&mut self, number: u32, texts: &Texts) -> Option<u16> {
        if number == 0 {
            return None;
        }
        let dictionary = &mut self.dictionary;
        let slot = &mut self.referrers[number as usize];
        Some(*slot.get_or_insert_with(|| {
            let text = String::from_utf8_lossy(texts.get(number)).to_ascii_lowercase();
            Self::word(dictionary, text)
        }))
    }

    fn language(&mut self, number: u32, texts: &Texts) -> Option<u16> {
        if number == 0 {
            return None;
        }
        let dictionary = &mut self.dictionary;
        let slot = &mut self.languages[number as usize];
        Some(*slot.get_or_insert_with(|| {
            let header = String::from_utf8_lossy(texts.get(number));
            Self::word(dictionary, language::counted(&header))
        }))
    }
}

/// Clicks that are ready to be written, with the texts that they refer to.
#[derive(Debug)]
pub(super) struct Encoded {
    records: Vec<Record>,
    dictionary: Vec<String>,
}

/// Makes batches of what was drained.
pub(super) fn encode(drained: &[Drained], salts: &mut Salts) -> Vec<Group> {
    let each = drained.iter().map(|one| Encoded::new(one, salts));
    each.flat_map(|one| groups(&one.records, &one.dictionary))
        .collect()
}

impl Encoded {
    /// Agents classified, languages named, addresses hashed.
    pub(super) fn new(drained: &Drained, salts: &mut Salts) -> Self {
        let texts = &drained.texts;
        let mut meaning = Meaning::new(texts);
        // Neighbours often come from the same visitor: a load test, a proxy.
        let mut last: Option<([u8; 16], u32, i64, u64)> = None;
        let records: Vec<Record> = drained
            .clicks
            .iter()
            .map(|click| {
                let slot = &mut meaning.agents[click.agent as usize];
                let agent = *slot.get_or_insert_with(|| salts.classify(texts.get(click.agent)));
                let day = day_of(click.at_ms);
                let visitor = match last {
                    Some((address, agent, on, visitor))
                        if address == click.address && agent == click.agent && on == day =>
                    {
                        visitor
                    }
                    _ => salts.visitor(day, &click.address, texts.get(click.agent)),
                };
                last = Some((click.address, click.agent, day, visitor));
                record(click, agent, visitor, &mut meaning, texts)
            })
            .collect();
        Self {
            records,
            dictionary: meaning.dictionary,
        }
    }

    /// The clicks of the requests `hops`, one each, taken out of `hops`. They are written under no
    /// number: these are the ones that count.
    pub(super) fn one_each(&self, hops: &mut HashSet<u64>) -> Vec<Group> {
        let counted = self.records.iter().filter(|r| hops.remove(&r.hop));
        let records: Vec<Record> = counted.map(|r| Record { hop: 0, ..*r }).collect();
        groups(&records, &self.dictionary)
    }
}

fn groups(records: &[Record], dictionary: &[String]) -> Vec<Group> {
    let chunks = records.chunks(CLICKS_MAX);
    chunks.map(|chunk| write(chunk, dictionary)).collect()
}

fn record(
    click: &Click,
    agent: Agent,
    visitor: u64,
    meaning: &mut Meaning,
    texts: &Texts,
) -> Record {
    Record {
        link: click.link,
        visitor,
        at_ms: click.at_ms,
        platform: agent.platform,
        bot: agent.bot.is_some(),
        head: click.head,
        referrer: meaning.referrer(click.referrer, texts),
        language: meaning.language(click.language, texts),
        hop: click.hop,
    }
}

fn write(records: &[Record], dictionary: &[String]) -> Group {
    let base_ms = records.iter().map(|r| r.at_ms).min().unwrap_or(0);
    let mut writer = Writer::new(
        base_ms,
        dictionary.iter().map(String::as_str),
        records.len(),
    );
    records.iter().for_each(|record| writer.push(record));
    Group {
        clicks: u32::try_from(records.len()).unwrap_or(u32::MAX),
        data: writer.finish(),
    }
}
