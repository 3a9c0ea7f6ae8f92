//! Knobs: typed design choices, read at run time, changeable while the service runs.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use serde::Serialize;

use crate::{Code, Coded, nearest};

/// An enum whose values are the settings of a knob.
pub trait Choice: Copy + Send + Sync + 'static {
    /// Every value with its name, in the order shown; at most 255.
    const ALL: &'static [(&'static str, Self)];

    /// The name of this value.
    fn name(self) -> &'static str
    where
        Self: PartialEq,
    {
        let named = Self::ALL.iter().find(|(_, value)| *value == self);
        named.map_or("", |(name, _)| name)
    }
}

/// The settings of a knob that turns a part of a design on or off; on by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It is part of the design.
    On,
    /// It is not.
    Off,
}

impl Choice for Switch {
    const ALL: &'static [(&'static str, Self)] = &[("on", Self::On), ("off", Self::Off)];
}

/// A knob as the console, the API and experiments see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnobInfo {
    /// Its name within the service.
    pub name: &'static str,
    /// The setting now.
    pub value: &'static str,
    /// The setting that it starts with.
    pub default: &'static str,
    /// Every setting that it may have.
    pub allowed: Vec<&'static str>,
    /// One line: what it trades for what.
    pub trades: &'static str,
}

/// A knob could not be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KnobError {
    /// No knob has this name.
    #[error("no knob is called '{name}'; {hint}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest names, or all of them.
        hint: String,
    },
    /// The knob has no such setting.
    #[error("knob '{name}' cannot be '{value}'; it can be {allowed}")]
    NotAllowed {
        /// The knob.
        name: &'static str,
        /// What was asked for.
        value: String,
        /// What it may be.
        allowed: String,
    },
}

impl Coded for KnobError {
    fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } => Code::NotFound,
            Self::NotAllowed { .. } => Code::Invalid,
        }
    }
}

#[derive(Debug)]
struct Slot {
    name: &'static str,
    trades: &'static str,
    names: Vec<&'static str>,
    default: u8,
    current: AtomicU8,
}

/// A handle to one knob; reading it is one relaxed load. Cheap to clone.
pub struct ChoiceKnob<C> {
    slot: Arc<Slot>,
    choice: PhantomData<fn() -> C>,
}

impl<C> Clone for ChoiceKnob<C> {
    fn clone(&self) -> Self {
        Self {
            slot: Arc::clone(&self.slot),
            choice: PhantomData,
        }
    }
}

impl<C: Choice> ChoiceKnob<C> {
    /// The setting now.
    #[must_use]
    pub fn get(&self) -> C {
        C::ALL[usize::from(self.slot.current.load(Ordering::Relaxed))].1
    }
}

/// The knobs of one service. Cheap to clone; clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Knobs(Arc<Vec<Arc<Slot>>>);

impl Knobs {
    /// No knobs.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Declares one more knob, with the first value of `C::ALL` as its default. For use in `build`,
    /// before the set is shared.
    #[must_use]
    pub fn declare<C: Choice>(
        self,
        name: &'static str,
        trades: &'static str,
    ) -> (Self, ChoiceKnob<C>) {
        let slot = Arc::new(Slot {
            name,
            trades,
            names: C::ALL.iter().map(|(n, _)| *n).collect(),
            default: 0,
            current: AtomicU8::new(0),
        });
        let mut slots = Arc::try_unwrap(self.0).unwrap_or_else(|shared| shared.to_vec());
        slots.push(Arc::clone(&slot));
        (
            Self(Arc::new(slots)),
            ChoiceKnob {
                slot,
                choice: PhantomData,
            },
        )
    }

    /// Every knob with its setting.
    #[must_use]
    pub fn list(&self) -> Vec<KnobInfo> {
        self.0.iter().map(|slot| slot.info()).collect()
    }

    /// Sets the knob `name` to `value`; takes effect at the next read. Answers the setting before.
    pub fn set(&self, name: &str, value: &str) -> Result<KnobInfo, KnobError> {
        let slot = self
            .0
            .iter()
            .find(|s| s.name == name)
            .ok_or_else(|| self.unknown(name))?;
        let before = slot.info();
        let index =
            slot.names
                .iter()
                .position(|n| *n == value)
                .ok_or_else(|| KnobError::NotAllowed {
                    name: slot.name,
                    value: value.to_owned(),
                    allowed: slot.names.join(", "),
                })?;
        slot.current
            .store(u8::try_from(index).unwrap_or(0), Ordering::Relaxed);
        Ok(before)
    }

    fn unknown(&self, name: &str) -> KnobError {
        let all: Vec<&str> = self.0.iter().map(|s| s.name).collect();
        let near = nearest(name, all.iter().copied());
        let hint = match (near.is_empty(), all.is_empty()) {
            (false, _) => format!("did you mean {}?", near.join(" or ")),
            (true, false) => format!("there are {}", all.join(", ")),
            (true, true) => "this service has none".to_owned(),
        };
        KnobError::Unknown {
            name: name.to_owned(),
            hint,
        }
    }
}

impl Slot {
    fn info(&self) -> KnobInfo {
        KnobInfo {
            name: self.name,
            value: self.names[usize::from(self.current.load(Ordering::Relaxed))],
            default: self.names[usize::from(self.default)],
            allowed: self.names.clone(),
            trades: self.trades,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Policy {
        Aside,
        None,
    }

    impl Choice for Policy {
        const ALL: &'static [(&'static str, Self)] =
            &[("aside", Self::Aside), ("none", Self::None)];
    }

    #[test]
    fn a_change_is_seen_by_the_handle() {
        let (knobs, policy) = Knobs::none().declare::<Policy>("cache", "speed for freshness");
        assert_eq!(policy.get(), Policy::Aside);
        let before = knobs.set("cache", "none").expect("an allowed value");
        assert_eq!(before.value, "aside");
        assert_eq!(policy.get(), Policy::None);
    }

    #[test]
    fn what_is_unknown_is_refused_with_the_nearest_name() {
        let (knobs, _policy) = Knobs::none().declare::<Policy>("cache", "speed for freshness");
        let error = knobs.set("cahce", "none").expect_err("no such knob");
        assert!(error.to_string().contains("did you mean cache?"), "{error}");
        let error = knobs.set("cache", "nnoe").expect_err("no such value");
        assert_eq!(
            error.to_string(),
            "knob 'cache' cannot be 'nnoe'; it can be aside, none"
        );
    }
}
