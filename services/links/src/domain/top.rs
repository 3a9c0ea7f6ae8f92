//! Counts by name with a bound on the names: what does not fit is counted together.

use serde::{Deserialize, Serialize};

/// The most names that are kept.
pub(crate) const NAMES_MAX: usize = 64;
/// The name of what does not fit.
pub(crate) const OTHER: &str = "(other)";

/// Counts by name. The sum of all, with `other`, is exact; a name that is pushed out by more
/// frequent ones joins `other`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Top {
    names: Vec<(String, u32)>,
    other: u32,
}

impl Top {
    /// Counts `n` more of `name`. Several may be added before [`Top::trim`].
    pub(crate) fn add(&mut self, name: &str, n: u32) {
        if name == OTHER {
            self.other += n;
        } else if let Some(slot) = self.names.iter_mut().find(|(known, _)| known == name) {
            slot.1 += n;
        } else if self.names.len() < 8 * NAMES_MAX {
            self.names.push((name.to_owned(), n));
        } else {
            self.other += n;
        }
    }

    /// Adds everything of `more`.
    pub(crate) fn merge(&mut self, more: &Self) {
        more.names.iter().for_each(|(name, n)| self.add(name, *n));
        self.other += more.other;
    }

    /// Keeps the most frequent names.
    pub(crate) fn trim(&mut self) {
        if self.names.len() > NAMES_MAX {
            self.names
                .sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            self.other += self.names.drain(NAMES_MAX..).map(|(_, n)| n).sum::<u32>();
        }
    }

    /// Each name with its count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        let other = (self.other > 0).then_some((OTHER, self.other));
        self.names
            .iter()
            .map(|(name, n)| (name.as_str(), *n))
            .chain(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_stays_exact_when_names_are_pushed_out() {
        let mut top = Top::default();
        for i in 0..1_000_u32 {
            top.add(&format!("host-{i}"), 1 + i % 3);
        }
        top.add("big.example", 500);
        top.trim();
        assert_eq!(top.iter().map(|(_, n)| n).sum::<u32>(), 500 + 1_999);
        assert_eq!(top.iter().count(), NAMES_MAX + 1);
    }

    #[test]
    fn two_halves_make_the_whole() {
        let (mut left, mut right) = (Top::default(), Top::default());
        left.add("a", 2);
        right.add("a", 3);
        right.add("b", 1);
        left.merge(&right);
        assert_eq!(left.iter().collect::<Vec<_>>(), [("a", 5), ("b", 1)]);
    }
}
