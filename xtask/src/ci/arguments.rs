//! What a run of the checks was asked for.

use anyhow::{Context as _, Result, bail};

use super::budget::SECTIONS;

/// The usage, in lines.
pub const USAGE: &str = "\
usage: .ci/run [SECTION..] [--only NAME] [--all | --share N] [--long] [--budget]

  SECTION      runs these sections; without one, all of them
  --only NAME  runs what is called NAME in these sections: a test, an experiment, a check
  --all        takes every service, whether it has changed or not
  --share N    takes the share N of what has not changed (0 to 3), instead of the one of the commit
  --long       many kills, whole experiments with their verdicts, twenty rounds against luck
  --budget     prints what each section may take, now and with 22 services";

/// The usage with the names of the sections.
#[must_use]
pub fn usage() -> String {
    let names: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
    format!("{USAGE}\n\nsections: {}\n", names.join(", "))
}

/// Flags and names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// These sections; all if there are none.
    pub sections: Vec<String>,
    /// Only what is called this.
    pub only: Option<String>,
    /// Every service.
    pub all: bool,
    /// This share of the services that have not changed.
    pub share: Option<u64>,
    /// The form for a night.
    pub long: bool,
    /// Only print the budget.
    pub budget: bool,
    /// Only print the usage.
    pub help: bool,
}

impl Arguments {
    /// Reads the words of the command.
    pub fn parse(words: &[&str]) -> Result<Self> {
        let mut arguments = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--all" => arguments.all = true,
                "--long" => arguments.long = true,
                "--budget" => arguments.budget = true,
                "--help" => arguments.help = true,
                "--only" => arguments.only = Some(value(words.next(), word)?),
                "--share" => {
                    let share = value(words.next(), word)?;
                    arguments.share =
                        Some(share.parse().context("--share takes a number, 0 to 3")?);
                }
                "install" => {}
                name if SECTIONS.iter().any(|section| section.name == name) => {
                    arguments.sections.push(name.to_owned());
                }
                other => {
                    let names: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
                    bail!(
                        "no section or flag `{other}`; sections are {}\n\n{USAGE}",
                        names.join(", ")
                    );
                }
            }
        }
        if arguments.all && arguments.share.is_some() {
            bail!("--all takes everything: leave --share away");
        }
        Ok(arguments)
    }

    /// Whether a section is wanted.
    #[must_use]
    pub fn wants(&self, section: &str) -> bool {
        self.sections.is_empty() || self.sections.iter().any(|name| name == section)
    }

    /// Whether what is called `name` is wanted.
    #[must_use]
    pub fn means(&self, name: &str) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| name.contains(only.as_str()))
    }
}

fn value(word: Option<&&str>, flag: &str) -> Result<String> {
    let word = word.with_context(|| format!("{flag} takes a value\n\n{USAGE}"))?;
    Ok((*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sections_and_flags() {
        let arguments =
            Arguments::parse(&["lab", "--only", "retry-storm", "--share", "2"]).unwrap();
        assert!(arguments.wants("lab") && !arguments.wants("crash"));
        assert!(arguments.means("retry-storm") && !arguments.means("bulkhead"));
        assert_eq!(arguments.share, Some(2));
        assert!(Arguments::parse(&[]).unwrap().wants("crash"));
    }

    #[test]
    fn a_mistake_is_named() {
        for words in [
            &["labs"][..],
            &["--only"],
            &["--share", "x"],
            &["--all", "--share", "1"],
        ] {
            assert!(Arguments::parse(words).is_err(), "{words:?}");
        }
    }
}
