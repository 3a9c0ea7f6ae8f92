//! A fault that somebody asks for.

mod flat;

use std::fmt;

use kernel::{Code, nearest};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::effect::{Details, Effect, Wait};
use crate::{FaultError, Seam};
pub(crate) use flat::Flat;

/// The longest that a fault may be asked for: an hour.
pub const TTL_MS_MAX: u64 = 3_600_000;
/// The longest name or path that selects anything.
const NAME_BYTES_MAX: usize = 200;

/// A fault that somebody asks for. In JSON and TOML it is flat:
/// `{"seam": "call", "effect": "latency", "ms": 50, "service": "links", "ttl_ms": 10000}`.
/// One that was read is valid.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultSpec {
    /// Where it strikes.
    pub seam: Seam,
    /// Whom it strikes.
    pub selector: Selector,
    /// What it does.
    pub effect: Effect,
    /// The share that it strikes, above 0 and up to 1.
    pub probability: f64,
    /// What its decisions follow from: the same seed, the same decisions. Drawn when absent.
    pub seed: Option<u64>,
    /// It ends when it has struck so often.
    pub max_hits: Option<u64>,
    /// How long it lasts, in milliseconds.
    pub ttl_ms: u64,
}

/// Whom a fault strikes: everybody, except for what is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// The service: who is called, who answers, whose data or events it is, what a process runs.
    pub service: Option<String>,
    /// The process in which the fault is, such as `links-2`. At the seam `call` it is the caller's.
    pub replica: Option<String>,
    /// The service that calls.
    pub caller: Option<String>,
    /// The method of a contract; the beginning of a path; the consumer of events.
    pub method: Option<String>,
}

impl FaultSpec {
    /// `effect` at `seam` for `ttl_ms` milliseconds, on everybody and always.
    #[must_use]
    pub const fn new(seam: Seam, effect: Effect, ttl_ms: u64) -> Self {
        Self {
            seam,
            selector: Selector {
                service: None,
                replica: None,
                caller: None,
                method: None,
            },
            effect,
            probability: 1.0,
            seed: None,
            max_hits: None,
            ttl_ms,
        }
    }

    /// Calls that are late by `ms`.
    #[must_use]
    pub const fn latency(seam: Seam, ms: u64, ttl_ms: u64) -> Self {
        Self::new(seam, Effect::Latency(Wait { ms, jitter_ms: 0 }), ttl_ms)
    }

    /// Calls or requests that fail with `code`.
    #[must_use]
    pub const fn error(seam: Seam, code: Code, ttl_ms: u64) -> Self {
        Self::new(seam, Effect::Error { code }, ttl_ms)
    }

    /// The same for `service` alone.
    #[must_use]
    pub fn on(mut self, service: &str) -> Self {
        self.selector.service = Some(service.to_owned());
        self
    }

    /// The same for `method` alone.
    #[must_use]
    pub fn of(mut self, method: &str) -> Self {
        self.selector.method = Some(method.to_owned());
        self
    }

    /// The same for so large a share.
    #[must_use]
    pub const fn share(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    /// The same, at most so often.
    #[must_use]
    pub const fn at_most(mut self, hits: u64) -> Self {
        self.max_hits = Some(hits);
        self
    }

    /// The same, with decisions that follow from `seed`.
    #[must_use]
    pub const fn seeded(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Refuses what cannot be.
    pub fn validate(&self) -> Result<(), FaultError> {
        let seam = self.seam;
        if !seam.effects().contains(&self.effect.name()) {
            return Err(not_here(seam, self.effect.name()));
        }
        if !(self.probability > 0.0 && self.probability <= 1.0) {
            return Err(FaultError::Probability(self.probability));
        }
        if !(1..=TTL_MS_MAX).contains(&self.ttl_ms) {
            return Err(FaultError::Ttl(self.ttl_ms));
        }
        if self.max_hits == Some(0) {
            let text = "max_hits is 0; leave it out, or let it strike once";
            return Err(FaultError::Range(text.to_owned()));
        }
        if !seam.is_counted() {
            let pairs = [
                ("probability", self.probability < 1.0),
                ("max_hits", self.max_hits.is_some()),
                ("seed", self.seed.is_some()),
            ];
            if let Some((field, _)) = pairs.into_iter().find(|(_, given)| *given) {
                return Err(FaultError::Uncounted { field, seam });
            }
        }
        self.selector.validate(seam)
    }

    fn of_flat(flat: Flat) -> Result<Self, FaultError> {
        let missing = |field| FaultError::Missing {
            what: "a fault".to_owned(),
            field,
        };
        let name = flat.seam.ok_or_else(|| missing("seam"))?;
        let seam = Seam::named(&name).ok_or_else(|| no_such_seam(name))?;
        let name = flat.effect.ok_or_else(|| missing("effect"))?;
        if !seam.effects().contains(&name.as_str()) {
            return Err(not_here(seam, &name));
        }
        let details = Details {
            ms: flat.ms,
            jitter_ms: flat.jitter_ms,
            code: flat.code,
            bytes_per_s: flat.bytes_per_s,
        };
        let effect = Effect::of(&name, details)?;
        // A process ends but once: there is nothing to wait for.
        let at_once = (effect == Effect::Kill).then_some(1);
        let spec = Self {
            seam,
            selector: Selector {
                service: flat.service,
                replica: flat.replica,
                caller: flat.caller,
                method: flat.method,
            },
            effect,
            probability: flat.probability.unwrap_or(1.0),
            seed: flat.seed,
            max_hits: flat.max_hits,
            ttl_ms: flat.ttl_ms.or(at_once).ok_or_else(|| missing("ttl_ms"))?,
        };
        spec.validate()?;
        Ok(spec)
    }

    fn flat(&self) -> Flat {
        let details = self.effect.details();
        let Selector {
            service,
            replica,
            caller,
            method,
        } = self.selector.clone();
        Flat {
            seam: Some(self.seam.name().to_owned()),
            effect: Some(self.effect.name().to_owned()),
            service,
            replica,
            caller,
            method,
            ms: details.ms,
            jitter_ms: details.jitter_ms,
            code: details.code,
            bytes_per_s: details.bytes_per_s,
            probability: Some(self.probability).filter(|p| *p < 1.0),
            seed: self.seed,
            max_hits: self.max_hits,
            ttl_ms: Some(self.ttl_ms),
        }
    }
}

impl Selector {
    /// Each field with its name.
    pub(crate) fn fields(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("service", self.service.as_deref()),
            ("replica", self.replica.as_deref()),
            ("caller", self.caller.as_deref()),
            ("method", self.method.as_deref()),
        ]
    }

    fn validate(&self, seam: Seam) -> Result<(), FaultError> {
        for (field, value) in self.fields() {
            let Some(value) = value else { continue };
            if !seam.selects().contains(&field) {
                return Err(FaultError::NoSelector { field, seam });
            }
            if value.is_empty() || value.len() > NAME_BYTES_MAX {
                let text = format!("{field} must have 1 to {NAME_BYTES_MAX} bytes");
                return Err(FaultError::Range(text));
            }
        }
        if seam == Seam::Process && self.service.is_none() && self.replica.is_none() {
            return Err(FaultError::NobodyNamed);
        }
        match &self.method {
            Some(path) if seam == Seam::Request && !path.starts_with('/') => {
                Err(FaultError::NoPath(path.clone()))
            }
            _ => Ok(()),
        }
    }
}

fn no_such_seam(name: String) -> FaultError {
    let names = || Seam::ALL.into_iter().map(Seam::name);
    let hint = hint(&name, &names().collect::<Vec<_>>());
    FaultError::NoSuchSeam { name, hint }
}

fn not_here(seam: Seam, effect: &str) -> FaultError {
    FaultError::NotHere {
        effect: effect.to_owned(),
        seam,
        hint: hint(effect, seam.effects()),
    }
}

/// The nearest, and all.
pub(crate) fn hint(name: &str, known: &[&str]) -> String {
    let all = known.join(", ");
    match nearest(name, known.iter().copied()).first() {
        Some(near) => format!("did you mean {near}? there are {all}"),
        None => format!("there are {all}"),
    }
}

impl Serialize for FaultSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.flat().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FaultSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let flat = Flat::deserialize(deserializer)?;
        Self::of_flat(flat).map_err(de::Error::custom)
    }
}

impl fmt::Display for FaultSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.effect, self.seam)?;
        for (field, value) in self.selector.fields() {
            if let Some(value) = value {
                write!(f, ", {field} {value}")?;
            }
        }
        if self.probability < 1.0 {
            write!(f, ", {} %", self.probability * 100.0)?;
        }
        match self.max_hits {
            Some(hits) => write!(f, ", at most {hits} hits"),
            None => Ok(()),
        }
    }
}
