//! `domain` modules are pure: rules over values, with time and randomness passed in.

use crate::finding::Finding;
use crate::source::{PathUse, Source};
use crate::workspace::Workspace;

const RULE: &str = "pure-domain";

/// Crates that do I/O or belong to a layer above.
const CRATES: &[&str] = &[
    "tokio",
    "tokio_util",
    "storage",
    "bus",
    "cache",
    "mesh",
    "web",
    "telemetry",
    "axum",
    "http",
    "hyper",
    "rusqlite",
    "tokio_postgres",
];
/// Modules of the standard library that reach outside.
const STD: &[&str] = &["fs", "env", "process", "thread"];
/// The layers of the same service that stand on the domain.
const LAYERS: &[&str] = &["store", "http", "service", "events", "jobs"];

/// Looks at every `domain.rs` and everything below `domain/`.
pub fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    for source in workspace
        .sources()
        .iter()
        .filter(|source| is_domain(&source.path))
    {
        for path in &source.scan().paths {
            if let Some(what) = reaches_out(path) {
                findings.push(Finding::fault(
                    &source.path,
                    path.line,
                    RULE,
                    format!("`{what}` has no place in a domain module: pass the value in, or move the code up"),
                ));
            }
        }
        check_async(source, findings);
    }
}

fn is_domain(path: &str) -> bool {
    let mut parts = path.split('/').skip_while(|part| *part != "src").skip(1);
    path.starts_with("services/") && matches!(parts.next(), Some("domain" | "domain.rs"))
}

fn reaches_out(path: &PathUse) -> Option<String> {
    let first = path.segments[0].as_str();
    let second = path.segments.get(1).map_or("", String::as_str);
    let out = CRATES.contains(&first)
        || first == "std" && STD.contains(&second)
        || first == "crate" && LAYERS.contains(&second);
    out.then(|| path.segments.join("::"))
}

fn check_async(source: &Source, findings: &mut Vec<Finding>) {
    if let Some(word) = source.scan().words.iter().find(|word| word.text == "async") {
        let advice = "a domain module has no async code: move the waiting up to the service";
        findings.push(Finding::fault(&source.path, word.line, RULE, advice));
    }
}
