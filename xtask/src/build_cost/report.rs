//! One build, added up: ours by crate, other people's as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::timings::Unit;
use super::{Build, Times, timings};
use crate::workspace::{Package, Shelf, Workspace, is_under};

/// What a build cost.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) build: Build,
    /// Our crates that were built, the dearest first.
    pub(super) crates: Vec<Cost>,
    /// Other people's crates, with what their build scripts compile.
    pub(super) foreign_s: f64,
    /// Procedural macros and what else serves the build alone.
    pub(super) tools_s: f64,
    pub(super) times: Times,
    /// The size of the program, where one was made.
    pub(super) binary_bytes: Option<u64>,
}

/// What one of our crates cost, with all of its targets.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cost {
    pub(super) name: String,
    pub(super) shelf: Shelf,
    pub(super) seconds: f64,
    /// Lines of Rust in its `src`.
    pub(super) lines: usize,
}

impl Cost {
    /// Seconds per 1,000 lines.
    pub(super) fn per_1000_lines(&self) -> f64 {
        self.seconds * 1_000.0 / self.lines.max(1) as f64
    }
}

impl Report {
    pub(super) fn new(
        workspace: &Workspace,
        build: Build,
        units: &[Unit],
        tools: &BTreeSet<String>,
    ) -> Self {
        let ours: BTreeMap<&str, &Package> = workspace
            .packages
            .iter()
            .map(|package| (package.name.as_str(), package))
            .collect();
        let mut crates: BTreeMap<&str, Cost> = BTreeMap::new();
        let (mut foreign_s, mut tools_s) = (0.0, 0.0);
        for unit in units {
            match ours.get(unit.name.as_str()) {
                Some(package) => {
                    let cost = crates.entry(&package.name);
                    let cost = cost.or_insert_with(|| free(workspace, package));
                    cost.seconds += unit.duration_s;
                }
                None if tools.contains(&unit.name) => tools_s += unit.duration_s,
                None => foreign_s += unit.duration_s,
            }
        }
        let mut crates: Vec<Cost> = crates.into_values().collect();
        crates.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        Self {
            build,
            crates,
            foreign_s,
            tools_s,
            times: timings::times(units),
            binary_bytes: None,
        }
    }

    /// All our crates as one.
    pub(super) fn ours(&self) -> Cost {
        self.sum("ours", |_| true)
    }

    /// The crates for which `wanted` holds, as one.
    pub(super) fn sum(&self, name: &str, wanted: impl Fn(&Cost) -> bool) -> Cost {
        let mut sum = Cost {
            name: name.to_owned(),
            shelf: Shelf::Other,
            seconds: 0.0,
            lines: 0,
        };
        for cost in self.crates.iter().filter(|cost| wanted(cost)) {
            sum.seconds += cost.seconds;
            sum.lines += cost.lines;
        }
        sum
    }

    /// Everything that was compiled.
    pub(super) fn total_s(&self) -> f64 {
        self.ours().seconds + self.foreign_s + self.tools_s
    }
}

/// A crate of which nothing is added up yet.
fn free(workspace: &Workspace, package: &Package) -> Cost {
    let sources = format!("{}/src", package.folder);
    let files = workspace.files.iter();
    let lines = files
        .filter(|path| path.ends_with(".rs") && is_under(path, &sources))
        .filter_map(|path| workspace.text(path))
        .map(|text| text.lines().count())
        .sum();
    Cost {
        name: package.name.clone(),
        shelf: package.shelf(),
        seconds: 0.0,
        lines,
    }
}
