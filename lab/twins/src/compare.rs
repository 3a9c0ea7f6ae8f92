//! What was told, stored and done, compared: one pure function.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Id;
use serde::Serialize;

/// What was seen of a system that was killed again and again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The orders that a client was told of.
    pub told: Vec<Id>,
    /// The orders that are stored.
    pub stored: Vec<Id>,
    /// The order of each mail that was sent.
    pub mails: Vec<Id>,
}

/// How many orders went wrong in which way; each is counted once in each way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// A client was told, and nothing is stored.
    pub unkept: u64,
    /// Stored, and no mail was sent.
    pub lost: u64,
    /// More than one mail was sent.
    pub doubled: u64,
    /// A mail was sent, and nothing is stored.
    pub invented: u64,
}

impl Tally {
    /// Whether each order led to its mail, exactly once.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

/// Compares what a client was told with what is stored and with what was done.
#[must_use]
pub fn compare(seen: &Seen) -> Tally {
    let stored: BTreeSet<Id> = seen.stored.iter().copied().collect();
    let told: BTreeSet<Id> = seen.told.iter().copied().collect();
    let mut mails: BTreeMap<Id, u64> = BTreeMap::new();
    for id in &seen.mails {
        *mails.entry(*id).or_default() += 1;
    }
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Tally {
        unkept: count(told.difference(&stored).count()),
        lost: count(stored.iter().filter(|id| !mails.contains_key(id)).count()),
        doubled: count(mails.values().filter(|sent| **sent > 1).count()),
        invented: count(mails.keys().filter(|id| !stored.contains(id)).count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(told: &[u128], stored: &[u128], mails: &[u128]) -> Tally {
        let ids = |numbers: &[u128]| numbers.iter().map(|n| Id::from_u128(*n)).collect();
        compare(&Seen {
            told: ids(told),
            stored: ids(stored),
            mails: ids(mails),
        })
    }

    #[test]
    fn one_mail_for_each_order_is_clean_also_where_the_client_was_not_told() {
        assert!(seen(&[1, 2], &[1, 2, 3], &[3, 1, 2]).is_clean());
    }

    #[test]
    fn each_way_to_go_wrong_is_told() {
        let clean = Tally::default();
        let cases = [
            (seen(&[1], &[], &[]), Tally { unkept: 1, ..clean }),
            (seen(&[1], &[1, 2], &[1]), Tally { lost: 1, ..clean }),
            (
                seen(&[1], &[1], &[1, 1, 1]),
                Tally {
                    doubled: 1,
                    ..clean
                },
            ),
            (
                seen(&[], &[], &[1, 2]),
                Tally {
                    invented: 2,
                    ..clean
                },
            ),
        ];
        for (tally, expected) in cases {
            assert_eq!(tally, expected);
            assert!(!tally.is_clean());
        }
    }
}
