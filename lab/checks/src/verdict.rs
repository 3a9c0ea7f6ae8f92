//! What a check found, with the fewest operations that show it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::operation::Operation;

/// So many counterexamples are kept; all are counted.
pub const EXAMPLES_MAX: usize = 5;
/// So many operations of one counterexample are printed as text; JSON has them all.
const WITNESSES_SHOWN: usize = 12;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which check, such as `monotonic_reads`.
    pub check: String,
    /// The answer.
    pub found: Found,
    /// What it looked at and what it found, by name, such as `acknowledged` and `lost`.
    pub counts: BTreeMap<String, u64>,
    /// The first violations, at most [`EXAMPLES_MAX`].
    pub examples: Vec<Counterexample>,
}

/// The answer of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It looked at something, and all was well.
    Held,
    /// So many violations.
    Broken {
        /// All of them, not only those that are shown.
        violations: u64,
    },
    /// It cannot tell. A history with nothing to look at is never said to hold.
    Unknown {
        /// The reason, and what to do.
        why: String,
    },
}

/// Why a check does not hold, in as few operations as it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterexample {
    /// Where, such as a key.
    pub place: String,
    /// What should have been.
    pub expected: String,
    /// What was.
    pub seen: String,
    /// What shows it, in the order of their begin. Empty where the point is that none exists.
    pub operations: Vec<Witness>,
}

/// An operation of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Its place in the history, from one.
    pub number: usize,
    /// The operation.
    #[serde(flatten)]
    pub operation: Operation,
}

impl Verdict {
    /// Whether the check looked at something, and all was well.
    #[must_use]
    pub fn held(&self) -> bool {
        self.found == Found::Held
    }

    /// Whether a violation was found.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        matches!(self.found, Found::Broken { .. })
    }

    /// A count by its name; zero for one that this check does not keep.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or_default()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Found::Held => write!(f, "{}: held", self.check)?,
            Found::Broken { violations } => write!(f, "{}: broken, {violations}x", self.check)?,
            Found::Unknown { why } => write!(f, "{}: unknown: {why}", self.check)?,
        }
        let counts: Vec<String> = self
            .counts
            .iter()
            .map(|(k, v)| format!("{k} {v}"))
            .collect();
        if !counts.is_empty() {
            write!(f, " ({})", counts.join(", "))?;
        }
        for example in &self.examples {
            write!(f, "\n{example}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}", self.place)?;
        let hidden = self.operations.len().saturating_sub(WITNESSES_SHOWN);
        if hidden > 0 {
            writeln!(f, "    {hidden} operations before")?;
        }
        for Witness { number, operation } in &self.operations[hidden..] {
            writeln!(f, "    #{number} {operation}")?;
        }
        writeln!(f, "    expected: {}", self.expected)?;
        write!(f, "    seen:     {}", self.seen)
    }
}

/// A verdict in the making.
pub(crate) struct Finding {
    check: &'static str,
    counts: BTreeMap<String, u64>,
    violations: u64,
    examples: Vec<Counterexample>,
}

impl Finding {
    pub(crate) fn new(check: &'static str) -> Self {
        Self {
            check,
            counts: BTreeMap::new(),
            violations: 0,
            examples: Vec::new(),
        }
    }

    /// Adds to a count, which is then reported even when it is zero.
    pub(crate) fn add(&mut self, name: &str, much: u64) {
        *self.counts.entry(name.to_owned()).or_default() += much;
    }

    pub(crate) fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or_default()
    }

    /// One violation more; its example is made only while there is room for it.
    pub(crate) fn violation(&mut self, example: impl FnOnce() -> Counterexample) {
        self.violations += 1;
        if self.examples.len() < EXAMPLES_MAX {
            let mut example = example();
            let by = |w: &Witness| (w.operation.begin_us, w.number);
            example.operations.sort_by_key(by);
            example.operations.dedup();
            self.examples.push(example);
        }
    }

    /// The verdict; `unknown` is the reason not to say that all was well.
    pub(crate) fn verdict(self, unknown: Option<String>) -> Verdict {
        let found = match (self.violations, unknown) {
            (0, None) => Found::Held,
            (0, Some(why)) => Found::Unknown { why },
            (violations, _) => Found::Broken { violations },
        };
        Verdict {
            check: self.check.to_owned(),
            found,
            counts: self.counts,
            examples: self.examples,
        }
    }
}

/// A witness of an operation that came with its number.
pub(crate) fn witness(&(number, operation): &(usize, &Operation)) -> Witness {
    Witness {
        number,
        operation: operation.clone(),
    }
}
