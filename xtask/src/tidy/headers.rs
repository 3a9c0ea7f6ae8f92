//! Every Rust file can be read, opens with `//!`, and modules are `foo.rs` beside `foo/`.

use proc_macro2::TokenStream;

use crate::finding::Finding;
use crate::workspace::Workspace;

/// Looks at the first line of each Rust file, at its name, and whether the other rules can read it.
pub fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    for path in workspace.files.iter().filter(|path| path.ends_with(".rs")) {
        if workspace.text(path).is_none() {
            findings.push(Finding::fault(path, 1, "unreadable", "write it in UTF-8"));
        }
    }
    for source in workspace.sources() {
        if let Err(error) = source.text.parse::<TokenStream>() {
            let line = error.span().start().line.max(1);
            let advice = "no rule can read this file: its brackets or quotes do not match";
            findings.push(Finding::fault(&source.path, line, "unreadable", advice));
        }
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
