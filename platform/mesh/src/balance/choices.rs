//! What a balancer does, each part fixed or as a knob stands.

use kernel::{Choice, ChoiceKnob, Switch};
use serde::{Deserialize, Serialize};

/// How an endpoint is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// The cheaper of two drawn at random: latency times requests in flight, or a penalty after a
    /// failure, whichever is larger.
    P2cEwma,
    /// One after the other, by weight.
    RoundRobin,
    /// The one with the fewest requests in flight.
    LeastRequests,
    /// The same key goes to the same endpoint, unless that one has a quarter more than its share.
    ConsistentHash,
}

impl Choice for Algorithm {
    const ALL: &'static [(&'static str, Self)] = &[
        ("p2c_ewma", Self::P2cEwma),
        ("round_robin", Self::RoundRobin),
        ("least_requests", Self::LeastRequests),
        ("consistent_hash", Self::ConsistentHash),
    ];
}

/// One choice: fixed, or as a knob stands.
#[derive(Clone)]
pub enum Chosen<C> {
    /// Always this one.
    Fixed(C),
    /// As the knob says whenever it is asked for.
    Knob(ChoiceKnob<C>),
}

impl<C: Choice> Chosen<C> {
    pub(super) fn get(&self) -> C {
        match self {
            Self::Fixed(choice) => *choice,
            Self::Knob(knob) => knob.get(),
        }
    }
}

/// The choices of one balancer.
#[derive(Clone)]
pub struct Choices {
    /// How an endpoint is chosen.
    pub algorithm: Chosen<Algorithm>,
    /// Whether requests that fail speak against an endpoint: it costs more, and is ejected when
    /// there are many. Without it a failure is an answer like any other, and a quick one is a good
    /// one.
    pub ejection: Chosen<Switch>,
    /// Whether an endpoint that is marked unhealthy is out of rotation.
    pub health: Chosen<Switch>,
}

/// This algorithm, and everything on.
impl From<Algorithm> for Choices {
    fn from(algorithm: Algorithm) -> Self {
        Self {
            algorithm: Chosen::Fixed(algorithm),
            ejection: Chosen::Fixed(Switch::On),
            health: Chosen::Fixed(Switch::On),
        }
    }
}

impl Choices {
    pub(super) fn heeds(&self) -> Heeds {
        Heeds {
            failures: self.ejection.get() == Switch::On,
            health: self.health.get() == Switch::On,
        }
    }
}

/// What speaks against an endpoint now, besides discovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heeds {
    pub(super) failures: bool,
    pub(super) health: bool,
}

impl Heeds {
    /// For an atomic.
    pub(super) const fn bits(self) -> u8 {
        self.failures as u8 | (self.health as u8) << 1
    }
}
