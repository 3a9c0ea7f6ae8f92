//! `flaky`: repeats tests in bad weather, and tells how often each one failed.
//!
//! Beside the tests every core is kept busy, and test processes are frozen at random moments, as a shared machine
//! does. What fails even once in many rounds waits for a time instead of for a condition, or is decided by chance.

pub mod storm;
pub mod tally;

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::Outcome;
use crate::ci::{self, budget::Lane, budget::SECTIONS};
use crate::suite::{self, Wanted, binary};
use storm::Storm;
use tally::Tally;

const USAGE: &str = "usage: cargo xtask flaky [NAME | SECTION] [--rounds N] [--calm]";
const ROUNDS: u32 = 20;
/// More rounds than anybody waits for.
const ROUNDS_MAX: u32 = 1_000;

/// What is repeated.
#[derive(Debug, PartialEq, Eq)]
pub struct Repeat {
    /// A test's name or a part of it, or a section of `.ci/run`; every test if nothing is named.
    pub name: Option<String>,
    /// How often.
    pub rounds: u32,
    /// Leave the machine as it is.
    pub calm: bool,
}

impl Repeat {
    /// Reads the words of the command.
    pub fn parse(words: &[&str]) -> Result<Self> {
        let mut repeat = Self {
            name: None,
            rounds: ROUNDS,
            calm: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--calm" => repeat.calm = true,
                "--rounds" => repeat.rounds = rounds(words.next())?,
                flag if flag.starts_with('-') => bail!("unknown flag {flag}\n{USAGE}"),
                name if repeat.name.is_none() => repeat.name = Some(name.to_owned()),
                more => bail!("one NAME is enough, and `{more}` is a second\n{USAGE}"),
            }
        }
        Ok(repeat)
    }

    /// The section that is meant, if one is.
    fn section(&self) -> Option<&'static str> {
        let name = self.name.as_deref()?;
        let mut pooled = SECTIONS
            .iter()
            .filter(|section| section.lane != Lane::Alone);
        pooled
            .find(|section| section.name == name)
            .map(|section| section.name)
    }
}

fn rounds(word: Option<&&str>) -> Result<u32> {
    let number = word.and_then(|word| word.parse().ok());
    number
        .filter(|number| (1..=ROUNDS_MAX).contains(number))
        .context(USAGE)
}

/// Repeats what is wanted in the workspace at `root`.
pub fn run(root: &Path, repeat: &Repeat) -> Result<Outcome> {
    let binaries = binary::build(root)?;
    let storm = Storm::new(!repeat.calm);
    let mut tally = Tally::default();
    storm.around(|| -> Result<()> {
        for round in 1..=repeat.rounds {
            match repeat.section() {
                Some(section) => tally.note_jobs(&ci::section(root, section)?),
                None => {
                    let wanted = Wanted {
                        filter: repeat.name.clone(),
                        slowest: 0,
                    };
                    tally.note_tests(&suite::told(&binaries, &wanted, (&|_| (), &storm))?);
                }
            }
            crate::say(&format!(
                "round {round} of {}: {}",
                repeat.rounds,
                tally.line()
            ));
        }
        Ok(())
    })?;
    Ok(Outcome {
        text: tally.text(),
        success: tally.is_well(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_a_section() {
        let repeat = Repeat::parse(&["browser", "--rounds", "5"]).unwrap();
        assert_eq!((repeat.section(), repeat.rounds), (Some("browser"), 5));
        assert_eq!(Repeat::parse(&["fold", "--calm"]).unwrap().section(), None);
        for words in [
            &["--rounds"][..],
            &["--rounds", "0"],
            &["a", "b"],
            &["--hot"],
        ] {
            assert!(Repeat::parse(words).is_err(), "{words:?}");
        }
    }
}
