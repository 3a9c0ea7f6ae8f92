//! "Did you mean": the known names nearest to one that is not known.

/// Up to three of `known` that are within a third of their length of `name`, nearest first.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut ranked: Vec<(usize, &str)> = known
        .into_iter()
        .map(|k| (distance(name, k), k))
        .filter(|(d, k)| *d <= k.chars().count().max(3).div_ceil(2))
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().take(3).map(|(_, k)| k).collect()
}

/// Levenshtein's distance, in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_name() {
        assert_eq!(
            nearest("chache", ["cache", "clicks", "balancer"]),
            ["cache"]
        );
        assert!(nearest("zebra", ["cache", "clicks"]).is_empty());
    }
}
