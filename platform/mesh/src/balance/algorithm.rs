//! The four ways to choose, and the set that they choose from.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use kernel::Steady;

use super::ring::{Ring, mix};
use super::slot::{Age, Slot};
use super::{Algorithm, Shared};
use crate::discovery::{ENDPOINTS_MAX, Endpoints};

/// Turns of round robin before it repeats, at most.
const TURNS_MAX: usize = 4_096;

/// The endpoints, and what is prepared for choosing among them. Replaced as a whole.
pub(super) struct Set {
    pub(super) slots: Arc<[Arc<Slot>]>,
    /// Indices in the order of smooth weighted round robin.
    turns: Arc<[usize]>,
    ring: Arc<Ring>,
    /// Has seen the list that this set was made of, so it says without a lock when there is another.
    news: Endpoints,
}

impl Set {
    /// The set before anything is known.
    pub(super) fn empty(news: Endpoints) -> Self {
        Self::of(Arc::from(Vec::new()), news)
    }

    fn of(slots: Arc<[Arc<Slot>]>, news: Endpoints) -> Self {
        let turns = turns(&slots).into();
        let ring = Ring::of(slots.iter().map(|s| (&*s.endpoint.id, s.endpoint.weight)));
        Self {
            slots,
            turns,
            ring: Arc::new(ring),
            news,
        }
    }

    /// Whether discovery has another list by now.
    pub(super) fn is_stale(&self) -> bool {
        self.news.has_changed().unwrap_or(false)
    }
}

/// Smooth weighted round robin, as nginx does it: 2:1:1 is a b a c, not a a b c.
fn turns(slots: &[Arc<Slot>]) -> Vec<usize> {
    let weights: Vec<i64> = slots
        .iter()
        .map(|s| i64::from(s.endpoint.weight.max(1)))
        .collect();
    let total: i64 = weights.iter().sum();
    let mut current = vec![0; weights.len()];
    let length = usize::try_from(total).unwrap_or(TURNS_MAX).min(TURNS_MAX);
    (0..length)
        .filter_map(|_| {
            current.iter_mut().zip(&weights).for_each(|(c, w)| *c += w);
            let (best, _) = current
                .iter()
                .enumerate()
                .max_by_key(|(i, c)| (**c, usize::MAX - i))?;
            current[best] -= total;
            Some(best)
        })
        .collect()
}

impl Shared {
    /// Takes over what discovery says, keeping what is known of endpoints that stay.
    pub(super) fn refresh(&self, now: Steady) {
        let mut endpoints = self.endpoints.lock();
        let list = Arc::clone(&endpoints.borrow_and_update());
        let before = self.set.load();
        let (turns, ring) = (Arc::clone(&before.turns), Arc::clone(&before.ring));
        let known: HashMap<&str, &Arc<Slot>> = before
            .slots
            .iter()
            .map(|slot| (&*slot.endpoint.id, slot))
            .collect();
        // Where nothing was known, nobody is new: slow start would only share less.
        let age = if before.slots.is_empty() {
            Age::Known
        } else {
            Age::New
        };
        let slots: Arc<[Arc<Slot>]> = list
            .iter()
            .take(ENDPOINTS_MAX)
            .map(|e| match known.get(&*e.id) {
                Some(slot) if slot.endpoint == *e => Arc::clone(slot),
                _ => Arc::new(Slot::new(e.clone(), age, now)),
            })
            .collect();
        let same = slots.len() == before.slots.len()
            && slots
                .iter()
                .zip(&*before.slots)
                .all(|(a, b)| Arc::ptr_eq(a, b));
        let news = endpoints.clone();
        self.rotate_locked(&slots, now);
        let next = if same {
            Set {
                slots,
                turns,
                ring,
                news,
            }
        } else {
            Set::of(slots, news)
        };
        self.set.store(Arc::new(next));
    }

    pub(super) fn choose<'a>(
        &self,
        algorithm: Algorithm,
        set: &'a Set,
        hash: Option<u64>,
        tried: &[SocketAddr],
        now: Steady,
    ) -> Option<&'a Arc<Slot>> {
        let fits = |slot: &Arc<Slot>| {
            slot.in_rotation.load(Relaxed)
                && (tried.is_empty() || !tried.contains(&slot.endpoint.addr))
        };
        let chosen = match algorithm {
            Algorithm::P2cEwma => self.cheaper_of_two(set, fits, now),
            Algorithm::RoundRobin => self.next_in_turn(set, fits, now),
            Algorithm::LeastRequests => self.least_crowded(set, fits, now),
            Algorithm::ConsistentHash => self.owner(set, fits, hash.unwrap_or_else(|| self.roll())),
        };
        // Everything in rotation has been tried: anything that has not, then anything at all.
        chosen
            .or_else(|| set.slots.iter().find(|s| !tried.contains(&s.endpoint.addr)))
            .or_else(|| set.slots.get(self.roll_below(set.slots.len())))
    }

    fn cheaper_of_two<'a>(
        &self,
        set: &'a Set,
        fits: impl Fn(&Arc<Slot>) -> bool,
        now: Steady,
    ) -> Option<&'a Arc<Slot>> {
        let count = set.slots.len();
        let start = self.roll_below(count);
        let first = (0..count)
            .map(|i| (start + i) % count)
            .find(|i| fits(&set.slots[*i]))?;
        let start = self.roll_below(count);
        let second = (0..count)
            .map(|i| (start + i) % count)
            .find(|i| *i != first && fits(&set.slots[*i]));
        let first = &set.slots[first];
        let Some(second) = second else {
            return Some(first);
        };
        let second = &set.slots[second];
        let cheaper = second.cost(&self.config, now) < first.cost(&self.config, now);
        Some(if cheaper { second } else { first })
    }

    fn next_in_turn<'a>(
        &self,
        set: &'a Set,
        fits: impl Fn(&Arc<Slot>) -> bool,
        now: Steady,
    ) -> Option<&'a Arc<Slot>> {
        let count = set.turns.len();
        let mut starting = None;
        for _ in 0..count {
            let turn = self.turn.fetch_add(1, Relaxed);
            let slot = &set.slots[set.turns[turn % count]];
            if !fits(slot) {
                continue;
            }
            // One that starts slowly lets most of its turns pass.
            let ramp = slot.ramp(&self.config, now);
            if ramp >= 1.0 || self.roll_unit() < ramp {
                return Some(slot);
            }
            starting = Some(slot);
        }
        starting
    }

    fn least_crowded<'a>(
        &self,
        set: &'a Set,
        fits: impl Fn(&Arc<Slot>) -> bool,
        now: Steady,
    ) -> Option<&'a Arc<Slot>> {
        // Starting anywhere makes ties fall evenly.
        let (count, start) = (set.slots.len(), self.roll_below(set.slots.len()));
        let candidates = (0..count)
            .map(|i| &set.slots[(start + i) % count])
            .filter(|s| fits(s));
        candidates
            .map(|slot| (slot.crowd(&self.config, now), slot))
            .min_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, slot)| slot)
    }

    fn owner<'a>(
        &self,
        set: &'a Set,
        fits: impl Fn(&Arc<Slot>) -> bool,
        hash: u64,
    ) -> Option<&'a Arc<Slot>> {
        let candidates = || set.slots.iter().filter(|s| fits(s));
        let weights: u32 = candidates().map(|s| s.endpoint.weight.max(1)).sum();
        let in_flight = u32::try_from(self.in_flight.load(Relaxed)).unwrap_or(u32::MAX);
        let per_weight = f64::from(in_flight.saturating_add(1)) / f64::from(weights.max(1));
        let has_room = |slot: &Arc<Slot>| {
            let share = per_weight * f64::from(slot.endpoint.weight.max(1));
            f64::from(slot.in_flight()) < (share * self.config.hash_load_factor).ceil()
        };
        let walk = || {
            set.ring
                .walk(hash)
                .map(|i| &set.slots[i])
                .filter(|s| fits(s))
        };
        walk().find(|s| has_room(s)).or_else(|| walk().next())
    }

    /// Cheap random numbers: which of two is no secret.
    fn roll(&self) -> u64 {
        mix(self.dice.fetch_add(0x9E37_79B9_7F4A_7C15, Relaxed))
    }

    fn roll_below(&self, bound: usize) -> usize {
        let scaled = u128::from(self.roll()) * bound as u128;
        usize::try_from(scaled >> 64).unwrap_or(0)
    }

    #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
    fn roll_unit(&self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
