//! Consistent hashing: each endpoint owns many points of a ring, a key belongs to the next point.
//! The same everywhere and in every version: hashes are fixed here, not taken from the standard
//! library.

/// Points per unit of weight: enough that shares differ by a few percent.
const POINTS: u32 = 160;
/// Points per endpoint at most, however heavy.
const POINTS_MAX: u32 = 1_600;

/// The hash of a key for consistent hashing.
#[must_use]
pub fn hash_key(key: &[u8]) -> u64 {
    // FNV-1a, then the finalizer of SplitMix64, because FNV's high bits mix poorly.
    let fnv = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mix(fnv)
}

pub(super) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The ring: points in order, each with the index of its owner.
#[derive(Debug, Default)]
pub(super) struct Ring(Vec<(u64, usize)>);

impl Ring {
    pub(super) fn of<'a>(owners: impl Iterator<Item = (&'a str, u32)>) -> Self {
        let mut points = Vec::new();
        for (owner, (id, weight)) in owners.enumerate() {
            let seed = hash_key(id.as_bytes());
            let count = weight.max(1).saturating_mul(POINTS).min(POINTS_MAX);
            points.extend((0..count).map(|n| {
                (
                    mix(seed.wrapping_add(u64::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15))),
                    owner,
                )
            }));
        }
        points.sort_unstable();
        Self(points)
    }

    /// Owners in the order in which a key would be handed to them; may repeat.
    pub(super) fn walk(&self, hash: u64) -> impl Iterator<Item = usize> + '_ {
        let start = self.0.partition_point(|(point, _)| *point < hash);
        let (before, after) = self.0.split_at(start);
        after.iter().chain(before).map(|(_, owner)| *owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(ids: &[&str], key: u32) -> String {
        let ring = Ring::of(ids.iter().map(|id| (*id, 1)));
        let hash = hash_key(format!("key {key}").as_bytes());
        ids[ring.walk(hash).next().expect("the ring is not empty")].to_owned()
    }

    #[test]
    fn one_more_endpoint_moves_about_its_share_of_the_keys_and_only_to_itself() {
        let before = ["a", "b", "c", "d"];
        let after = ["a", "b", "c", "d", "e"];
        let moved: Vec<String> = (0..2_000)
            .filter(|key| owner(&before, *key) != owner(&after, *key))
            .map(|key| owner(&after, key))
            .collect();
        assert!(
            moved.iter().all(|to| to == "e"),
            "no key moves between old endpoints"
        );
        let share = moved.len() as f64 / 2_000.0;
        assert!(
            (0.13..0.27).contains(&share),
            "a fifth of the keys, not {share}"
        );
    }

    #[test]
    fn shares_are_about_even_and_follow_the_weight() {
        let ring = Ring::of([("a", 1), ("b", 1), ("c", 2)].into_iter());
        let mut count = [0; 3];
        for key in 0..8_000_u64 {
            count[ring.walk(mix(key)).next().expect("not empty")] += 1;
        }
        assert!(
            count[..2].iter().all(|n| (1_600..2_400).contains(n)),
            "{count:?}"
        );
        assert!((3_400..4_600).contains(&count[2]), "{count:?}");
    }
}
