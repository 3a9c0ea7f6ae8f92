//! Which services the sections take that cost something for each service.
//!
//! Those that changed within the last days' commits, and of all else a share that the commit draws: over four
//! commits everything has its turn. What changed in a room that many stand on takes everything.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::arguments::Arguments;
use super::budget::SHARES;
use crate::workspace::Workspace;

/// A change stays in the gate for so many days of commits, since it may wait for others to meet it.
const DAYS: i64 = 3;
/// Where texts live; a change there proves nothing new about a running service.
const TEXTS: &[&str] = &[
    "docs/",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "bench/",
];

/// What was chosen, and why.
#[derive(Debug)]
pub struct Choice {
    /// Every service.
    pub services: BTreeSet<String>,
    changed: BTreeSet<String>,
    /// Why everything is taken, if it is.
    everything: Option<String>,
    share: u64,
    commit: String,
}

impl Choice {
    /// Looks at the history of the workspace at `root`.
    pub fn make(root: &Path, arguments: &Arguments) -> Result<Self> {
        let workspace = Workspace::load(root)?;
        let services = workspace
            .services()
            .map(|package| package.name.clone())
            .collect();
        let commit = git(root, &["rev-parse", "HEAD"]).unwrap_or_default();
        let mut choice = Self {
            services,
            changed: BTreeSet::new(),
            everything: None,
            share: arguments.share.unwrap_or_else(|| number(&commit)) % SHARES,
            commit,
        };
        if arguments.all || arguments.long {
            choice.everything = Some("it was asked for".to_owned());
        } else if let Some(only) = &arguments.only {
            choice.everything = Some(format!("{only} is among it"));
        } else {
            choice.note(changed_files(root));
        }
        Ok(choice)
    }

    /// Takes note of the files that changed; `None` if that cannot be told.
    fn note(&mut self, files: Option<Vec<String>>) {
        let Some(files) = files else {
            self.everything = Some("there is no history to tell what has changed".to_owned());
            return;
        };
        for file in files {
            match self.owner(&file) {
                Owner::Service(name) => {
                    self.changed.insert(name);
                }
                Owner::Nobody => {}
                Owner::All => {
                    let why = format!("{file} changed within {DAYS} days");
                    self.everything.get_or_insert(why);
                }
            }
        }
    }

    fn owner(&self, file: &str) -> Owner {
        if TEXTS.iter().any(|text| file.starts_with(text)) || file.ends_with(".md") {
            return Owner::Nobody;
        }
        let inside = |name: &&String| {
            let rooms = [format!("services/{name}/"), format!("contracts/{name}/")];
            let file_of = |folder: &str, ends: &str| file == format!("{folder}/{name}.{ends}");
            rooms.iter().any(|room| file.starts_with(room))
                || file.starts_with(&format!("contracts/src/{name}/"))
                || file_of("contracts/src", "rs")
                || file_of("app/src/compose", "rs")
                || file_of("tests/openapi", "json")
                || file_of("tests/browser/checks", "mjs")
                || file.starts_with(&format!("lab/experiments/prices/{name}."))
        };
        match self.services.iter().find(inside) {
            Some(name) => Owner::Service(name.clone()),
            None => Owner::All,
        }
    }

    /// Whether `item` is taken, which is about these services.
    #[must_use]
    pub fn takes<'a>(&self, item: &str, about: impl IntoIterator<Item = &'a str>) -> bool {
        let is_changed = about.into_iter().any(|name| self.changed.contains(name));
        self.everything.is_some() || is_changed || fnv(item) % SHARES == self.share
    }

    /// One line about it, with how to repeat it.
    #[must_use]
    pub fn describe(&self) -> String {
        if let Some(why) = &self.everything {
            return format!("taken: every service, because {why}");
        }
        let changed: Vec<&str> = self.changed.iter().map(String::as_str).collect();
        let changed = if changed.is_empty() {
            "no service".to_owned()
        } else {
            changed.join(", ")
        };
        let (share, commit) = (self.share, self.commit.get(..12).unwrap_or("none"));
        format!(
            "taken: {changed}, changed within {DAYS} days, and of the others share {share} of {SHARES}, \
             drawn by commit {commit}; again: --share {share}"
        )
    }
}

enum Owner {
    Service(String),
    Nobody,
    All,
}

/// The files that differ from the last commit that is older than some days.
fn changed_files(root: &Path) -> Option<Vec<String>> {
    let head: i64 = git(root, &["log", "-1", "--format=%ct"])?.parse().ok()?;
    let before = format!("--before={}", head - DAYS * 86_400);
    let base = git(root, &["rev-list", "-1", &before, "HEAD"]).filter(|base| !base.is_empty())?;
    let files = git(root, &["diff", "--name-only", &base])?;
    Some(files.lines().map(str::to_owned).collect())
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root)
        .output();
    let output = output
        .context("run git")
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A number that a commit draws.
fn number(commit: &str) -> u64 {
    u64::from_str_radix(commit.get(..8).unwrap_or("0"), 16).unwrap_or(0)
}

/// FNV-1a, so that a name has the same place in every version of the toolchain.
fn fnv(text: &str) -> u64 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(files: &[&str]) -> Choice {
        let mut choice = Choice {
            services: ["links", "gateway"].map(str::to_owned).into(),
            changed: BTreeSet::new(),
            everything: None,
            share: 1,
            commit: "0123456789abcdef".to_owned(),
        };
        choice.note(Some(files.iter().map(|file| (*file).to_owned()).collect()));
        choice
    }

    #[test]
    fn a_service_that_changed_is_taken_and_the_rest_in_turn() {
        let files = [
            "services/links/src/lib.rs",
            "docs/lab.md",
            "contracts/src/links/view.rs",
        ];
        let choice = choice(&files);
        assert!(choice.takes("anything", ["links"]));
        let items: Vec<String> = (0..400).map(|n| format!("item {n}")).collect();
        let taken = items
            .iter()
            .filter(|item| choice.takes(item, ["gateway"]))
            .count();
        assert!((60..140).contains(&taken), "about a quarter: {taken}");
        assert!(choice.describe().contains("links, changed"));
    }

    #[test]
    fn over_all_shares_everything_has_its_turn() {
        for item in ["crash", "retry-storm", "overview"] {
            let turns = (0..SHARES).filter(|share| {
                let mut choice = choice(&[]);
                choice.share = *share;
                choice.takes(item, ["gateway"])
            });
            assert_eq!(turns.count(), 1, "{item}");
        }
    }

    #[test]
    fn a_room_that_many_stand_on_takes_everything_and_a_text_nothing() {
        for shared in [
            "platform/bus/src/lib.rs",
            "Cargo.lock",
            "xtask/src/ci.rs",
            "app/src/host.rs",
        ] {
            assert!(choice(&[shared]).takes("x", ["gateway"]), "{shared}");
        }
        let texts = choice(&["README.md", "docs/adr/0001.md", "services/links/README.md"]);
        assert!(texts.changed.is_empty() && texts.everything.is_none());
    }

    #[test]
    fn without_a_history_everything_is_taken() {
        let mut choice = choice(&[]);
        choice.note(None);
        assert!(choice.takes("x", ["gateway"]));
    }
}
