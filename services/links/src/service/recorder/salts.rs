//! What is kept from group to group: the salts of days, and the classes of agents.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};
use storage::{Db, Tx};

use super::shard::Drained;
use crate::domain::agent::{self, Agent};
use crate::domain::day::day_of;
use crate::store::secrets;

/// The most agents whose class is remembered between groups.
const AGENTS_MAX: usize = 16_384;

/// The salts of days, and the classes of agents: what is kept from group to group.
#[derive(Debug, Default)]
pub(super) struct Salts {
    days: HashMap<i64, [u8; 16]>,
    agents: HashMap<Box<[u8]>, Agent>,
}

impl Salts {
    /// Fetches the salts of the days on which clicks came; one read at the beginning of each day.
    pub(super) async fn fetch(
        &mut self,
        db: &Db,
        drained: &[Drained],
    ) -> Result<(), storage::Error> {
        let mut days: Vec<i64> = drained.iter().flat_map(Drained::days).map(day_of).collect();
        days.sort_unstable();
        days.dedup();
        for day in days {
            if !self.has(day) {
                let get = async move |tx: &mut Tx<'_>| secrets::salt(tx, day).await;
                let salt: Vec<u8> = db.write::<_, storage::Error, _>(get).await?;
                self.put(day, &salt);
            }
        }
        Ok(())
    }

    fn has(&self, day: i64) -> bool {
        self.days.contains_key(&day)
    }

    /// Keeps the salt of a day. Those of the days before the last one are destroyed.
    fn put(&mut self, day: i64, salt: &[u8]) {
        let mut own = [0_u8; 16];
        own.iter_mut()
            .zip(salt)
            .for_each(|(own, byte)| *own = *byte);
        self.days.insert(day, own);
        self.days.retain(|other, _| *other + 1 >= day);
    }

    pub(super) fn classify(&mut self, agent: &[u8]) -> Agent {
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
    pub(super) fn visitor(&self, day: i64, address: &[u8; 16], agent: &[u8]) -> u64 {
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
