//! Every Rust file opens with `//!`, and modules are `foo.rs` beside `foo/`.

use crate::finding::Finding;
use crate::workspace::Workspace;

/// Looks at the first line of each Rust file, and at its name.
pub fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    for source in workspace.sources() {
        let first = source.text.lines().next().unwrap_or_default();
        if first
            .strip_prefix("//!")
            .is_none_or(|words| words.trim().is_empty())
        {
            let advice = "open the file with one to five lines of `//!`: what it is, and why";
            findings.push(Finding::fault(&source.path, 1, "file-header", advice));
        }
        if source.path.ends_with("/mod.rs") {
            let advice = "name the module after its folder: `foo.rs` beside `foo/`";
            findings.push(Finding::fault(&source.path, 1, "no-mod-rs", advice));
        }
    }
}
