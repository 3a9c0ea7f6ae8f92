//! When the fold runs: soon when few clicks come, seldom when many do.
//!
//! A fold writes one row for each link that was clicked, so the same clicks cost less in one fold
//! than in several. What it would cost is not known before it was done: a load that begins is let
//! be for a minute, and later ones rest by how long they took.

use std::collections::VecDeque;
use std::time::Duration;

use kernel::Steady;

use crate::service::folder::CLICKS_MAX;
use crate::store::clicks::Waiting;
use crate::store::fold::GROUPS_MAX;

/// A fold rests so many times as long as it took: it takes 2 % of the time.
const REST: u32 = 50;
const REST_MIN: Duration = Duration::from_secs(1);
/// No click waits longer than this for a fold to begin, rested or not.
const REST_MAX: Duration = Duration::from_secs(60);
/// A group waits so long before it is folded, so that a trickle of clicks is folded together.
const AFTER: Duration = Duration::from_secs(2);
/// So many clicks within [`AFTER`] are a load: 10,000 a second. With fewer, a fold is cheap at first
/// and soon rests long enough.
const BUSY: u64 = 20_000;
/// With fewer than so many the load is over. That is less than one look finds while it lasts, so that
/// its last clicks are folded together with the others.
const CALM: u64 = BUSY / 8;

/// Decides when the next fold is due.
pub(super) struct Pace {
    /// The groups that wait, by the looks that found them, the oldest first.
    found: VecDeque<Found>,
    /// While there is a load: until when it is let be.
    busy: Option<Steady>,
    rest_until: Steady,
}

/// What a look has found that was not there before.
struct Found {
    at: Steady,
    /// The last group.
    last: i64,
    clicks: u64,
}

impl Pace {
    pub(super) const fn new(now: Steady) -> Self {
        Self {
            found: VecDeque::new(),
            busy: None,
            rest_until: now,
        }
    }

    /// The last group that was found, 0 if none waits. A look counts the clicks of those after it.
    pub(super) fn seen(&self) -> i64 {
        self.found.back().map_or(0, |found| found.last)
    }

    /// Takes note of a look. Answers up to which group it is time to fold, if it is.
    pub(super) fn due(&mut self, waiting: &Waiting, now: Steady) -> Option<i64> {
        self.note(waiting, now);
        let settled = |found: &&Found| now.since(found.at) >= AFTER;
        let fresh = self.found.iter().skip_while(settled);
        self.note_load(fresh.map(|found| found.clicks).sum(), now);
        let last = self.found.iter().take_while(settled).last()?.last;
        let clicks: u64 = self
            .found
            .iter()
            .take_while(settled)
            .map(|f| f.clicks)
            .sum();
        let is_quiet = last == waiting.last;
        // As much as one fold takes: to wait for more saves nothing.
        let is_full = clicks >= CLICKS_MAX || last - waiting.first >= GROUPS_MAX - 1;
        let is_old = |found: &Found| now.since(found.at) >= REST_MAX;
        let is_rested = now >= self.rest_until && self.busy.is_none_or(|until| now >= until);
        let is_due = is_quiet || is_full || is_rested || self.found.front().is_some_and(is_old);
        is_due.then_some(last)
    }

    fn note(&mut self, waiting: &Waiting, now: Steady) {
        while self.found.front().is_some_and(|f| f.last < waiting.first) {
            self.found.pop_front();
        }
        // What was folded; a group that came to light late has a lower number and is still there.
        while self.seen() > waiting.last {
            self.found.pop_back();
        }
        if waiting.last > self.seen() {
            self.found.push_back(Found {
                at: now,
                last: waiting.last,
                clicks: waiting.clicks,
            });
        }
    }

    fn note_load(&mut self, fresh: u64, now: Steady) {
        if fresh < CALM {
            self.busy = None;
        } else if fresh >= BUSY && self.busy.is_none() {
            self.busy = Some(now.plus(REST_MAX));
        }
    }

    /// Takes note of a fold that began at `began` and has ended now.
    pub(super) fn folded(&mut self, began: Steady, now: Steady) {
        let took = now.since(began);
        self.rest_until = now.plus((took * REST).clamp(REST_MIN, REST_MAX));
        // What it costs to fold this load is known now.
        if let Some(until) = &mut self.busy {
            *until = now;
        }
    }
}

#[cfg(test)]
mod tests;
