//! `build-cost`: what each crate costs to compile, by its size, and what 22 services would cost.
//!
//! It builds the program or the tests anew and reads the page that `cargo --timings` writes; with
//! `--from` it reads a page that is there. A unit's seconds are from its start to its end, which with as many
//! jobs as cores is about the time of a core.

mod estimate;
mod measure;
mod report;
mod table;
mod timings;
mod tools;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

use self::report::Report;
use crate::Outcome;
use crate::workspace::Workspace;

/// What is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// The program, as it is measured and shipped.
    Release,
    /// Every crate with its tests, as they are run.
    Tests,
}

/// How long a whole build took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Times {
    /// From its start to its end.
    pub wall_s: f64,
    /// What all its processes used, where that was measured.
    pub cpu_s: Option<f64>,
}

/// How the tables are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For a terminal.
    Text,
    /// For a page.
    Markdown,
}

#[derive(Debug, PartialEq)]
struct Options {
    builds: Vec<Build>,
    form: Form,
    from: Option<PathBuf>,
}

impl Build {
    /// The name of its column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Tests => "tests",
        }
    }

    const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Release => &["build", "--release", "-p", "tradewind"],
            Self::Tests => &["test", "--workspace", "--no-run"],
        }
    }
}

/// Measures, or reads what was measured, and tells it.
pub fn run(root: &Path, words: &[&str]) -> Result<Outcome> {
    let options = Options::parse(words)?;
    let workspace = Workspace::load(root)?;
    let mut reports = Vec::new();
    for build in &options.builds {
        let (page, times, binary_bytes) = match &options.from {
            Some(path) => (crate::read(path)?, None, None),
            None => {
                let cold = measure::cold(root, *build)?;
                (cold.page, Some(cold.times), cold.binary_bytes)
            }
        };
        let units = timings::units(&page)?;
        let tools = tools::of(&workspace, *build)?;
        reports.push(Report {
            times: times.unwrap_or_else(|| timings::times(&units)),
            binary_bytes,
            ..Report::new(&workspace, *build, &units, &tools)
        });
    }
    let estimates: Vec<_> = reports
        .iter()
        .map(|report| estimate::Estimate::of(&workspace, report))
        .collect::<Result<_>>()?;
    let mut text = table::render(&reports, options.form);
    estimates
        .iter()
        .for_each(|each| text.push_str(&each.tell()));
    Ok(Outcome {
        text,
        success: estimates.iter().all(estimate::Estimate::holds),
    })
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self {
            builds: Vec::new(),
            form: Form::Text,
            from: None,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--release" => options.builds.push(Build::Release),
                "--tests" => options.builds.push(Build::Tests),
                "--markdown" => options.form = Form::Markdown,
                "--from" => options.from = words.next().map(PathBuf::from),
                other => bail!(
                    "build-cost takes --release, --tests, --markdown and --from FILE, not `{other}`"
                ),
            }
        }
        if options.builds.is_empty() {
            options.builds = vec![Build::Release, Build::Tests];
        }
        let one = options.from.is_none() || options.builds.len() == 1;
        ensure!(one, "say of which build the file is: --release or --tests");
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_builds_are_measured_unless_one_is_named() {
        let both = Options::parse(&[]).expect("options");
        assert_eq!(both.builds, [Build::Release, Build::Tests]);
        let one = Options::parse(&["--tests", "--markdown", "--from", "x.html"]);
        let expected = Options {
            builds: vec![Build::Tests],
            form: Form::Markdown,
            from: Some("x.html".into()),
        };
        assert_eq!(one.expect("options"), expected);
    }

    #[test]
    fn a_page_without_its_build_and_an_unknown_word_are_refused() {
        let vague = Options::parse(&["--from", "x.html"]).expect_err("which build?");
        assert!(
            vague.to_string().contains("--release or --tests"),
            "{vague}"
        );
        let unknown = Options::parse(&["--debug"]).expect_err("no such option");
        assert!(unknown.to_string().contains("not `--debug`"), "{unknown}");
    }
}
