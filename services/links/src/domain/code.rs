//! Codes: how they are made, which are allowed, which are reserved.
//!
//! Codes are ASCII and case matters: `Sale` and `sale` are two codes. Letters of other scripts are
//! refused, so that no code can look like another one in another script. Reserved words are
//! refused in any case.

use kernel::Random;
use sha2::{Digest as _, Sha256};

/// Letters and digits without those that look alike: no `0 O o`, no `1 l I`.
/// (`o` goes too: hand-written it is a zero.)
pub(crate) const ALPHABET: &[u8; 56] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz";
/// How many characters a code has unless told otherwise: 56^7 are 1.7 * 10^12 codes.
pub(crate) const LENGTH: usize = 7;
/// The longest code that a caller may choose, in characters.
pub(crate) const CHARS_MAX: usize = 64;

/// Words that are, or may become, paths of the system's own. Compared in lower case.
pub(crate) const RESERVED: &[&str] = &[
    "admin",
    "api",
    "app",
    "apps",
    "assets",
    "auth",
    "bulk",
    "console",
    "dashboard",
    "debug",
    "docs",
    "domains",
    "events",
    "export",
    "favicon",
    "graphql",
    "health",
    "healthz",
    "help",
    "import",
    "index",
    "knobs",
    "links",
    "livez",
    "login",
    "logout",
    "metrics",
    "new",
    "null",
    "oauth",
    "openapi",
    "orphans",
    "ping",
    "problems",
    "public",
    "qr",
    "readyz",
    "registry",
    "robots",
    "rpc",
    "security",
    "settings",
    "signin",
    "signup",
    "sitemap",
    "static",
    "stats",
    "status",
    "tags",
    "undefined",
    "upsert",
    "v1",
    "v2",
    "webhooks",
    "well-known",
    "www",
];

/// Why a code is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodeError {
    /// No or too many characters.
    #[error("a code has 1 to 64 characters")]
    Length,
    /// A character that no code has.
    #[error(
        "a code is made of A-Z, a-z, 0-9, '-' and '_' only; letters of other scripts look too much alike"
    )]
    Character,
    /// Only dashes and underscores.
    #[error("a code needs a letter or a digit")]
    Empty,
    /// A word of the system's own.
    #[error("this code is reserved for the system; choose another one")]
    Reserved,
}

/// Whether every character can be part of a code.
pub(crate) fn is_code(text: &[u8]) -> bool {
    !text.is_empty() && text.len() <= CHARS_MAX && text.iter().all(|b| is_code_byte(*b))
}

const fn is_code_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// Checks a code that a caller chose.
pub(crate) fn check(code: &str) -> Result<(), CodeError> {
    if code.is_empty() || code.chars().count() > CHARS_MAX {
        return Err(CodeError::Length);
    }
    if !is_code(code.as_bytes()) {
        return Err(CodeError::Character);
    }
    if !code.bytes().any(|b| b.is_ascii_alphanumeric()) {
        return Err(CodeError::Empty);
    }
    if is_reserved(code) {
        return Err(CodeError::Reserved);
    }
    Ok(())
}

/// Whether it is one of the system's own words, in any case.
pub(crate) fn is_reserved(code: &str) -> bool {
    let lower = code.to_ascii_lowercase();
    RESERVED.binary_search(&lower.as_str()).is_ok()
}

/// A code of `length` characters, each equally likely.
pub(crate) fn random(random: &dyn Random, length: usize) -> String {
    until_free(|| {
        // One draw of the system's CSPRNG for the whole code; bytes from 224 on are thrown away
        // because 224 is the largest multiple of 56 below 256.
        let mut out = String::with_capacity(length);
        let mut bytes = [0_u8; 16];
        while out.len() < length {
            random.fill(&mut bytes);
            let fair = bytes.iter().filter(|b| **b < 224).take(length - out.len());
            out.extend(fair.map(|b| char::from(ALPHABET[usize::from(b % 56)])));
        }
        out
    })
}

/// The code of the number `n`: the shortest there is, from three characters on.
pub(crate) fn counted(n: u64) -> String {
    let mut rest = u128::from(n) + 56 * 56;
    let mut digits = Vec::new();
    while rest > 0 {
        digits.push(char::from(ALPHABET[(rest % 56) as usize]));
        rest /= 56;
    }
    digits.iter().rev().collect()
}

/// The code that belongs to a target; `attempt` tells apart those that collide.
pub(crate) fn hashed(url: &str, attempt: u32, length: usize) -> String {
    let mut attempt = attempt.wrapping_mul(16);
    until_free(|| {
        let mut hash = Sha256::new();
        hash.update(attempt.to_be_bytes());
        hash.update(url.as_bytes());
        attempt = attempt.wrapping_add(1);
        // 32 bytes give up to 32 characters; the bias of 256 % 56 does not matter for a hash.
        let digest = hash.finalize();
        digest
            .iter()
            .take(length)
            .map(|b| char::from(ALPHABET[usize::from(b % 56)]))
            .collect()
    })
}

fn until_free(mut make: impl FnMut() -> String) -> String {
    loop {
        let code = make();
        if !is_reserved(&code) {
            return code;
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::{SeededRandom, SystemRandom};

    use super::*;

    #[test]
    fn the_alphabet_has_no_look_alikes_and_no_twins() {
        let mut seen: Vec<u8> = ALPHABET.to_vec();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 56);
        assert!(!ALPHABET.iter().any(|b| b"0Oo1lI".contains(b)));
        assert!(ALPHABET.iter().all(|b| is_code_byte(*b)));
    }

    #[test]
    fn the_reserved_words_are_sorted_for_the_search() {
        assert!(RESERVED.is_sorted(), "binary_search needs them sorted");
        for word in ["api", "API", "Health", "readyz", "rpc"] {
            assert_eq!(check(word), Err(CodeError::Reserved), "{word}");
        }
    }

    #[test]
    fn random_codes_use_every_character_about_equally() {
        let mut counts = [0_u32; 256];
        for _ in 0..8_000 {
            let code = random(&SystemRandom, LENGTH);
            assert_eq!(code.len(), 7);
            code.bytes().for_each(|b| counts[usize::from(b)] += 1);
        }
        for byte in ALPHABET {
            // 56,000 characters over 56: 1,000 each, with a standard deviation of 31.
            let n = counts[usize::from(*byte)];
            assert!(
                (800..1_200).contains(&n),
                "{} came {n} times",
                char::from(*byte)
            );
        }
    }

    #[test]
    fn the_same_dice_give_the_same_code() {
        let code = || random(&SeededRandom::new(7), LENGTH);
        assert_eq!(code(), code());
    }

    #[test]
    fn counted_codes_are_short_and_differ() {
        assert_eq!(counted(0).len(), 3);
        let mut all: Vec<String> = (0..10_000).map(counted).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 10_000);
    }

    #[test]
    fn a_hash_belongs_to_its_target_and_a_collision_moves_on() {
        let first = hashed("https://example.com/", 0, LENGTH);
        assert_eq!(first, hashed("https://example.com/", 0, LENGTH));
        assert_ne!(first, hashed("https://example.com/", 1, LENGTH));
        assert_ne!(first, hashed("https://example.org/", 0, LENGTH));
    }

    #[test]
    fn other_scripts_and_odd_characters_are_refused() {
        for bad in [
            "раypal",
            "a b",
            "a/b",
            "a+",
            "a.b",
            "ａｂ",
            "é",
            "a\u{200b}b",
        ] {
            assert_eq!(check(bad), Err(CodeError::Character), "{bad}");
        }
        assert_eq!(check(""), Err(CodeError::Length));
        assert_eq!(check(&"a".repeat(65)), Err(CodeError::Length));
        assert_eq!(check("--"), Err(CodeError::Empty));
        assert_eq!(check("Sale-2026_x"), Ok(()));
    }
}
