//! Migrations come in pairs: the same numbers and names for SQLite and for PostgreSQL, without gaps,
//! each named in the list that is run.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Finding;
use crate::source::Source;
use crate::workspace::Workspace;

const RULE: &str = "paired-migrations";
const ENGINES: [&str; 2] = ["sqlite", "postgres"];

/// Compares the two folders below each `migrations/`.
pub fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    for (folder, engines) in folders(workspace) {
        let none = BTreeSet::new();
        for (engine, twin) in [(ENGINES[0], ENGINES[1]), (ENGINES[1], ENGINES[0])] {
            let here = engines.get(engine).unwrap_or(&none);
            for name in here.difference(engines.get(twin).unwrap_or(&none)) {
                let path = format!("{folder}/{engine}/{name}");
                let advice = format!("write its twin {folder}/{twin}/{name}");
                findings.push(Finding::fault(&path, 1, RULE, advice));
            }
            check_list(workspace, (&folder, engine), here, findings);
            check_numbers(&format!("{folder}/{engine}"), here, findings);
        }
    }
}

fn folders(workspace: &Workspace) -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let mut found: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for path in workspace.files.iter().filter(|path| path.ends_with(".sql")) {
        let parts: Vec<&str> = path.rsplitn(3, '/').collect();
        if let [name, engine, folder] = parts[..]
            && folder.ends_with("migrations")
        {
            let engines = found.entry(folder.to_owned()).or_default();
            engines
                .entry(engine.to_owned())
                .or_default()
                .insert(name.to_owned());
        }
    }
    found
}

/// The crate's code includes each of them: a file that no list names is never run.
fn check_list(
    workspace: &Workspace,
    (folder, engine): (&str, &str),
    names: &BTreeSet<String>,
    findings: &mut Vec<Finding>,
) {
    let package = folder.split("/src/").next().unwrap_or(folder);
    for name in names {
        let tail = format!("/{engine}/{name}");
        let mut sources = workspace.sources_under(package).filter(|s| !s.is_test());
        let is_named = |source: &Source| {
            let mut strings = source.scan().strings.iter();
            strings.any(|string| string.text.ends_with(&tail))
        };
        if !sources.any(is_named) {
            let advice = "no list of migrations includes it: add it to the list in src/store.rs";
            findings.push(Finding::fault(&format!("{folder}{tail}"), 1, RULE, advice));
        }
    }
}

/// The names start with 0001, 0002, .. in order.
fn check_numbers(folder: &str, names: &BTreeSet<String>, findings: &mut Vec<Finding>) {
    for (name, expected) in names.iter().zip(1..) {
        let number = name.split('_').next().unwrap_or_default();
        if number != format!("{expected:04}") {
            let advice =
                format!("the number should be {expected:04}: numbers have no gap and no twin");
            findings.push(Finding::fault(&format!("{folder}/{name}"), 1, RULE, advice));
            return;
        }
    }
}
