//! Where a request stands in its trace, as W3C Trace Context writes it.

use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The trace, the span within it, and whether it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TraceContext {
    /// The trace; zero for none.
    pub trace_id: u128,
    /// The span; zero for none.
    pub span_id: u64,
    /// Whether the trace is recorded.
    pub sampled: bool,
}

/// The text is not a `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("traceparent cannot be read; write 00-<32 hex digits>-<16 hex digits>-<2 hex digits>")]
pub struct TraceContextError;

impl TraceContext {
    /// No trace.
    pub const NONE: Self = Self {
        trace_id: 0,
        span_id: 0,
        sampled: false,
    };
    /// The header that carries it.
    pub const HEADER: &'static str = "traceparent";

    /// Reads a `traceparent` header. Of a version that is not known yet, the part that is known is
    /// read, as the standard asks.
    pub fn parse(header: &str) -> Result<Self, TraceContextError> {
        let bytes = header.trim_matches([' ', '\t']).as_bytes();
        let known = bytes.get(..55).ok_or(TraceContextError)?;
        let dashes = [2, 35, 52].iter().all(|&at| known[at] == b'-');
        let version = hex(&known[..2])?;
        let ends_well = match (version, bytes.get(55)) {
            (0xFF, _) => false,
            (_, None) => true,
            (0, Some(_)) => false,
            (_, Some(next)) => *next == b'-',
        };
        let trace_id = hex(&known[3..35])?;
        let span_id = u64::try_from(hex(&known[36..52])?).map_err(|_| TraceContextError)?;
        let flags = hex(&known[53..55])?;
        if !dashes || !ends_well || trace_id == 0 || span_id == 0 {
            return Err(TraceContextError);
        }
        Ok(Self {
            trace_id,
            span_id,
            sampled: flags & 1 == 1,
        })
    }

    /// The value of the `traceparent` header.
    #[must_use]
    pub fn header_value(&self) -> String {
        let flags = u8::from(self.sampled);
        format!(
            "00-{:032x}-{:016x}-{flags:02x}",
            self.trace_id, self.span_id
        )
    }

    /// A new span of the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            span_id: next_span_id(),
            ..*self
        }
    }

    /// Whether it names a trace at all.
    #[must_use]
    pub const fn is_some(&self) -> bool {
        self.trace_id != 0 && self.span_id != 0
    }

    /// The trace id as 32 hex digits.
    #[must_use]
    pub fn trace_id_hex(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.header_value())
    }
}

impl FromStr for TraceContext {
    type Err = TraceContextError;

    fn from_str(text: &str) -> Result<Self, TraceContextError> {
        Self::parse(text)
    }
}

/// Written as a `traceparent`; no trace is an empty text.
impl Serialize for TraceContext {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.is_some() {
            s.collect_str(self)
        } else {
            s.serialize_str("")
        }
    }
}

impl<'de> Deserialize<'de> for TraceContext {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        if text.is_empty() {
            return Ok(Self::NONE);
        }
        Self::parse(&text).map_err(D::Error::custom)
    }
}

/// Lower-case hex only, as the standard asks.
fn hex(digits: &[u8]) -> Result<u128, TraceContextError> {
    digits.iter().try_fold(0_u128, |value, &byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return Err(TraceContextError),
        };
        Ok((value << 4) | u128::from(digit))
    })
}

/// The finaliser of SplitMix64.
pub(super) const fn mixed(at: u64) -> u64 {
    let mut z = at.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Span ids need to differ, not to be secret: a counter per thread from a random start.
fn next_span_id() -> u64 {
    thread_local! {
        static AT: Cell<u64> = Cell::new(RandomState::new().hash_one(0_u8));
    }
    AT.with(|at| {
        at.set(at.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
        mixed(at.get()).max(1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_standards_example_round_trips() {
        let context = TraceContext::parse(GOOD).expect("the example of the standard");
        assert_eq!(context.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert!(context.sampled);
        assert_eq!(context.header_value(), GOOD);
        let json = serde_json::to_string(&context).expect("text");
        assert_eq!(
            serde_json::from_str::<TraceContext>(&json).expect("the same text"),
            context
        );
        let none = serde_json::to_string(&TraceContext::NONE).expect("text");
        assert_eq!(
            serde_json::from_str::<TraceContext>(&none).expect("empty"),
            TraceContext::NONE
        );
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = GOOD.replacen("00", "cc", 1);
        assert_eq!(TraceContext::parse(&later), TraceContext::parse(GOOD));
        assert_eq!(
            TraceContext::parse(&format!("{later}-what-comes")),
            TraceContext::parse(GOOD)
        );
        assert!(TraceContext::parse(&format!("{later}.what-comes")).is_err());
        let flags = GOOD.replace("-01", "-fe");
        assert!(
            !TraceContext::parse(&flags)
                .expect("other flags are passed over")
                .sampled
        );
    }

    #[test]
    fn what_the_standard_calls_invalid_is_refused() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(bad), Err(TraceContextError), "{bad}");
        }
    }

    #[test]
    fn a_child_stays_in_the_trace_with_a_span_of_its_own() {
        let context = TraceContext::parse(GOOD).expect("valid");
        let (a, b) = (context.child(), context.child());
        assert_eq!((a.trace_id, a.sampled), (context.trace_id, true));
        assert!(a.span_id != b.span_id && a.span_id != context.span_id);
    }
}
