//! `Accept-Language`: which languages a visitor reads, best first.

/// The most languages of a header that are looked at.
const LANGUAGES_MAX: usize = 16;
/// The longest header that is looked at, in bytes.
pub(crate) const HEADER_BYTES_MAX: usize = 256;

/// A language and how much it is wanted, in thousandths.
pub(crate) type Wanted<'a> = (&'a str, u16);

/// The languages of an `Accept-Language` header with their weight, best first; those with the
/// weight 0 and `*` are left out.
pub(crate) fn wanted(header: &str) -> Vec<Wanted<'_>> {
    let header = header.get(..HEADER_BYTES_MAX).unwrap_or(header);
    let mut found: Vec<Wanted<'_>> = header
        .split(',')
        .take(LANGUAGES_MAX)
        .filter_map(entry)
        .collect();
    // Stable: what stands first wins among equals.
    found.sort_by_key(|wanted| std::cmp::Reverse(wanted.1));
    found
}

fn entry(part: &str) -> Option<Wanted<'_>> {
    let mut pieces = part.split(';');
    let tag = pieces.next().unwrap_or_default().trim();
    let q = pieces.find_map(|p| p.trim().strip_prefix("q=").or(p.trim().strip_prefix("Q=")));
    let weight = q.map_or(Some(1_000), thousandths)?;
    (weight > 0 && is_tag(tag)).then_some((tag, weight))
}

/// `0.8` as 800.
fn thousandths(text: &str) -> Option<u16> {
    let value: f32 = text.trim().parse().ok()?;
    (0.0..=1.0).contains(&value).then(|| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 1,000"
        )]
        let n = (value * 1_000.0).round() as u16;
        n
    })
}

/// Whether it is shaped like a language tag (BCP 47): `de`, `zh-Hant`, `pt-BR`.
pub(crate) fn is_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    (2..=8).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && tag.len() <= 35
        && parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The languages that the visitor wants most: all with the highest weight.
pub(crate) fn best<'a>(wanted: &'a [Wanted<'a>]) -> impl Iterator<Item = &'a str> {
    let top = wanted.first().map_or(0, |w| w.1);
    wanted.iter().take_while(move |w| w.1 == top).map(|w| w.0)
}

/// Whether a rule for `range` takes the language `tag`: `de` takes `de` and `de-AT`.
pub(crate) fn takes(range: &str, tag: &str) -> bool {
    let head = tag.get(..range.len());
    head.is_some_and(|h| h.eq_ignore_ascii_case(range))
        && matches!(tag.as_bytes().get(range.len()), None | Some(b'-'))
}

/// The name under which a visit is counted: the best language without its region, lower case.
pub(crate) fn counted(header: &str) -> String {
    let wanted = wanted(header);
    let tag = wanted.first().map_or("unknown", |w| w.0);
    tag.split('-').next().unwrap_or(tag).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_counts_and_not_the_place() {
        let wanted = wanted("en;q=0.5, de-AT, fr;q=0, *;q=0.1, x");
        assert_eq!(wanted, [("de-AT", 1_000), ("en", 500)]);
        assert_eq!(best(&wanted).collect::<Vec<_>>(), ["de-AT"]);
    }

    #[test]
    fn equals_are_all_best() {
        let wanted = wanted("de, en, fr;q=0.9");
        assert_eq!(best(&wanted).collect::<Vec<_>>(), ["de", "en"]);
    }

    #[test]
    fn a_range_takes_its_regions_only() {
        assert!(takes("de", "de") && takes("DE", "de-AT") && takes("de-at", "de-AT"));
        assert!(!takes("de-AT", "de") && !takes("d", "de") && !takes("de", "den"));
    }

    #[test]
    fn nonsense_counts_as_unknown() {
        for header in ["", "*", ",,;q=", "q=1", "<script>", "en;q=x"] {
            assert_eq!(counted(header), "unknown", "{header}");
        }
        assert_eq!(counted("pt-BR,pt;q=0.9"), "pt");
    }
}
