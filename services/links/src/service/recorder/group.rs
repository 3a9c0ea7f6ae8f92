//! From the buffer to batches: agents classified, languages named, addresses hashed.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::shard::{Click, Drained, Texts};
use crate::domain::agent::{self, Agent};
use crate::domain::batch::{CLICKS_MAX, Record, Writer};
use crate::domain::day::day_of;
use crate::domain::language;
use crate::domain::top::OTHER;
use crate::store::clicks::Group;

/// The most agents whose class is remembered between groups.
const AGENTS_MAX: usize = 16_384;
/// The most texts of a batch's dictionary.
const TEXTS_MAX: usize = 60_000;

/// The salts of days, and the classes of agents: what is kept from group to group.
#[derive(Debug, Default)]
pub(super) struct Salts {
    days: HashMap<i64, [u8; 16]>,
    agents: HashMap<Box<[u8]>, Agent>,
}

impl Salts {
    pub(super) fn has(&self, day: i64) -> bool {
        self.days.contains_key(&day)
    }

    /// Keeps the salt of a day. Those of the days before the last one are destroyed.
    pub(super) fn put(&mut self, day: i64, salt: &[u8]) {
        let mut own = [0_u8; 16];
        own.iter_mut()
            .zip(salt)
            .for_each(|(own, byte)| *own = *byte);
        self.days.insert(day, own);
        self.days.retain(|other, _| *other + 1 >= day);
    }

    fn classify(&mut self, agent: &[u8]) -> Agent {
        if let Some(known) = self.agents.get(agent) {
            return *known;
        }
        if self.agents.len() >= AGENTS_MAX {
            self.agents.clear();
        }
        let class = agent::classify(agent);
        self.agents.insert(agent.into(), class);
        class
    }

    /// Who came, as far as it is kept: nobody can tell the address once the salt is destroyed.
    fn visitor(&self, day: i64, address: &[u8; 16], agent: &[u8]) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.days.get(&day).unwrap_or(&[0; 16]));
        hash.update(address);
        hash.update(agent);
        let digest = hash.finalize();
        let mut head = [0_u8; 8];
        head.copy_from_slice(&digest[..8]);
        u64::from_le_bytes(head)
    }
}

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

/// Makes batches of what was drained.
pub(super) fn encode(drained: &[Drained], salts: &mut Salts) -> Vec<Group> {
    drained
        .iter()
        .flat_map(|one| encode_shard(one, salts))
        .collect()
}

fn encode_shard(drained: &Drained, salts: &mut Salts) -> Vec<Group> {
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
    records
        .chunks(CLICKS_MAX)
        .map(|chunk| write(chunk, &meaning.dictionary))
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_is_another_one_on_another_day() {
        let mut salts = Salts::default();
        salts.put(1, &[1; 16]);
        salts.put(2, &[2; 16]);
        let on = |day| salts.visitor(day, &[7; 16], b"curl/8");
        assert_eq!(on(1), on(1));
        assert_ne!(on(1), on(2));
        assert_ne!(on(1), salts.visitor(1, &[8; 16], b"curl/8"));
    }

    #[test]
    fn the_salt_of_the_day_before_yesterday_is_destroyed() {
        let mut salts = Salts::default();
        (1..=3).for_each(|day| salts.put(day, &[1; 16]));
        assert!(!salts.has(1) && salts.has(2) && salts.has(3));
    }
}
