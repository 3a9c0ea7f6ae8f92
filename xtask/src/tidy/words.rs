//! Words that have no place in a tracked file: promises of later work, and paths of one machine.

use crate::finding::Finding;
use crate::workspace::{Workspace, is_under};

/// Written in halves, so that this file passes its own rule.
const PROMISES: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];
const MACHINE_PATHS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/Use", "rs/"),
];

/// Looks at every line of every text file that is ours.
pub fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    for path in workspace.files.iter().filter(|path| is_ours(path)) {
        let Some(text) = workspace.text(path) else {
            continue;
        };
        for (line, number) in text.lines().zip(1..) {
            if let Some(word) = PROMISES.iter().find(|word| has_word(line, word)) {
                let advice = format!("`{word}`: do it now, or file an issue and say nothing here");
                findings.push(Finding::fault(path, number, "no-promises", advice));
            }
            if let Some(start) = MACHINE_PATHS.iter().find(|start| has_path(line, start)) {
                let advice = format!("`{start}..` is a path of one machine: write it relative");
                findings.push(Finding::fault(path, number, "no-machine-paths", advice));
            }
        }
    }
}

fn is_ours(path: &str) -> bool {
    let foreign = path
        .split('/')
        .any(|part| matches!(part, "vendor" | "node_modules"));
    !foreign && !is_under(path, "target") && !path.ends_with(".lock") && path != "LICENSE"
}

fn has_word(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(joins) && !line[at + word.len()..].starts_with(joins))
}

/// Whether an absolute path starts there; `https://x/..` and `a/../` do not count.
fn has_path(line: &str, start: &str) -> bool {
    let joins =
        |c: char| c.is_alphanumeric() || matches!(c, '.' | '/' | '_' | '-' | '}' | ')' | '*');
    line.match_indices(start)
        .any(|(at, _)| !line[..at].ends_with(joins))
}
