//! One thing that a rule found: where, which rule, and what to do about it.

use std::fmt;

/// Whether a finding fails the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The run fails.
    Fault,
    /// Printed, and the run goes on.
    Warning,
}

/// One line of tidy's output.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path from the workspace root, with forward slashes.
    pub path: String,
    /// Line, from 1; 1 where the whole file is meant.
    pub line: usize,
    /// The rule's short name.
    pub rule: &'static str,
    /// What to do.
    pub advice: String,
    /// Whether it fails the run.
    pub weight: Weight,
}

impl Finding {
    /// A finding that fails the run.
    pub fn fault(path: &str, line: usize, rule: &'static str, advice: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            rule,
            advice: advice.into(),
            weight: Weight::Fault,
        }
    }

    /// A finding that is only printed.
    pub fn warning(path: &str, line: usize, rule: &'static str, advice: impl Into<String>) -> Self {
        Self {
            weight: Weight::Warning,
            ..Self::fault(path, line, rule, advice)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.weight == Weight::Warning {
            "warning: "
        } else {
            ""
        };
        write!(
            f,
            "{}:{}: {mark}{}: {}",
            self.path, self.line, self.rule, self.advice
        )
    }
}
