//! Identifiers that sort by the time they were made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Clock, Random};

/// Crockford's base 32, lower case: no `i`, `l`, `o`, `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 26;

/// 128 bits: 48 bits of milliseconds, then 80 random bits (the ULID layout).
///
/// Written as 26 characters of Crockford's base 32 in lower case; the text sorts as the value does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u128);

impl Id {
    /// A new id from the given clock and randomness.
    #[must_use]
    pub fn new(clock: &dyn Clock, random: &dyn Random) -> Self {
        let millis = u128::try_from(clock.now().millis()).unwrap_or(0) & 0xFFFF_FFFF_FFFF;
        let mut bytes = [0_u8; 16];
        random.fill(&mut bytes[6..]);
        Self((millis << 80) | u128::from_be_bytes(bytes))
    }

    /// The id with exactly these bits.
    #[must_use]
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// The bits of the id.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0_u8; LENGTH];
        let mut rest = self.0;
        for slot in text.iter_mut().rev() {
            *slot = ALPHABET[(rest & 31) as usize];
            rest >>= 5;
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id is 26 characters of 0-9 and a-z without i, l, o, u")]
pub struct IdError;

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() != LENGTH {
            return Err(IdError);
        }
        let mut value: u128 = 0;
        for (at, byte) in text.bytes().enumerate() {
            let digit = ALPHABET.iter().position(|&a| a == byte).ok_or(IdError)?;
            if at == 0 && digit > 7 {
                return Err(IdError);
            }
            value = (value << 5) | digit as u128;
        }
        Ok(Self(value))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ManualClock, SeededRandom, Timestamp};

    #[test]
    fn text_round_trips_and_sorts_by_time() {
        let random = SeededRandom::new(7);
        let early = Id::new(&ManualClock::at(Timestamp::from_millis(1_000)), &random);
        let late = Id::new(&ManualClock::at(Timestamp::from_millis(1_001)), &random);
        assert_eq!(early.to_string().parse(), Ok(early));
        assert!(early.to_string() < late.to_string());
    }

    #[test]
    fn text_that_is_no_id_is_refused() {
        for bad in [
            "",
            "short",
            "81arz3ndektsv4rrffq69g5fav0",
            "u1arz3ndektsv4rrffq69g5fav",
        ] {
            assert_eq!(bad.parse::<Id>(), Err(IdError), "{bad}");
        }
        assert_eq!(
            "8zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<Id>(),
            Err(IdError),
            "129 bits"
        );
    }
}
