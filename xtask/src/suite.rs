//! `test`: builds every test once, then runs the test binaries side by side.
//!
//! Tests wait more than they compute, so two binaries with six threads each take a quarter of the time that
//! `cargo test` takes, which runs one binary after the other. What is run and what must hold is the same.

pub mod binary;
pub mod event;
pub mod report;
pub mod run;

use std::path::Path;

use anyhow::{Result, bail};

use crate::Outcome;
use binary::Binary;
use event::Told;
use run::{Disturb, Say, Suite, Undisturbed};

/// How many test binaries run at a time, and with how many threads each.
const BINARIES: usize = 2;
const THREADS: usize = 6;
/// How many of the slowest tests are listed by `--slowest`.
const SLOWEST: usize = 30;

/// What `cargo xtask test` was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only tests whose name or whose crate's name holds this.
    pub filter: Option<String>,
    /// List so many of the slowest tests.
    pub slowest: usize,
}

impl Wanted {
    /// Reads `[NAME] [--slowest]`.
    pub fn parse(words: &[&str]) -> Result<Self> {
        let mut wanted = Self::default();
        for word in words {
            match *word {
                "--slowest" => wanted.slowest = SLOWEST,
                flag if flag.starts_with('-') => {
                    bail!("unknown flag {flag}: usage: cargo xtask test [NAME] [--slowest]")
                }
                name if wanted.filter.is_none() => wanted.filter = Some(name.to_owned()),
                more => bail!("one NAME is enough, and `{more}` is a second"),
            }
        }
        Ok(wanted)
    }
}

/// Runs the tests of the workspace at `root`.
pub fn run(root: &Path, wanted: &Wanted) -> Result<Outcome> {
    let told = told(&binary::build(root)?, wanted, (&crate::say, &Undisturbed))?;
    let mut text = report::slowest(&told, wanted.slowest);
    text.push_str(&report::whole(&told));
    Ok(Outcome {
        text,
        success: report::is_well(&told),
    })
}

/// What came of the wanted tests of `binaries`. `say` gets a line for each binary.
pub fn told(
    binaries: &[Binary],
    wanted: &Wanted,
    (say, disturb): (&Say<'_>, &dyn Disturb),
) -> Result<Vec<Told>> {
    let suite = Suite {
        binaries: binaries.to_vec(),
        filter: wanted.filter.clone(),
        at_once: BINARIES,
        threads: THREADS,
    };
    suite.run(say, disturb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_a_name_and_flags() {
        let wanted = Wanted::parse(&["--slowest", "fold"]).unwrap();
        assert_eq!(wanted.filter.as_deref(), Some("fold"));
        assert_eq!(wanted.slowest, SLOWEST);
        assert!(Wanted::parse(&["--fast"]).is_err());
        assert!(Wanted::parse(&["a", "b"]).is_err());
    }
}
