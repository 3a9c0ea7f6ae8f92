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
const STD: &[&str] = &["fs", "env", "process", "thread", "io", "os"];
/// What has no place there by whatever path it comes, and what to do instead.
const WORDS: &[(&str, &str)] = &[
    ("async", "move the waiting up to the service"),
    ("Instant", "pass the time in as a value"),
    ("SystemTime", "pass the time in as a value"),
    ("Clock", "pass the time in as a value"),
    ("SystemClock", "pass the time in as a value"),
    ("Ctx", "pass in the values that are taken from it"),
    ("Tasks", "start tasks in the service"),
    ("SystemRandom", "take a `Random`"),
    ("TcpStream", "move the connection up"),
    ("TcpListener", "move the connection up"),
    ("UdpSocket", "move the connection up"),
    ("ToSocketAddrs", "resolve names above"),
];
/// The layers of the same service that stand on the domain.
const LAYERS: &[&str] = &["store", "http", "service", "events", "jobs"];

/// Looks at every `domain.rs` and everything below `domain/`.
pub fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    for source in workspace
        .sources()
        .iter()
        .filter(|source| is_domain(&source.path))
    {
        let depth = depth(&source.path);
        for path in &source.scan().paths {
            if let Some(what) = reaches_out(path, depth) {
                findings.push(Finding::fault(
                    &source.path,
                    path.line,
                    RULE,
                    format!("`{what}` has no place in a domain module: pass the value in, or move the code up"),
                ));
            }
        }
        check_words(source, findings);
    }
}

fn is_domain(path: &str) -> bool {
    let mut parts = path.split('/').skip_while(|part| *part != "src").skip(1);
    path.starts_with("services/") && matches!(parts.next(), Some("domain" | "domain.rs"))
}

/// How many modules the file's own is below the crate's root: 1 for `domain.rs`.
fn depth(path: &str) -> usize {
    path.split('/')
        .skip_while(|part| *part != "domain" && *part != "domain.rs")
        .count()
}

fn reaches_out(path: &PathUse, depth: usize) -> Option<String> {
    let up = path
        .segments
        .iter()
        .take_while(|part| *part == "super")
        .count();
    let from_root = path.segments[0] == "crate" || up >= depth;
    let mut rest = path.segments.iter().map(String::as_str).skip(up);
    let first = rest.next().unwrap_or_default();
    let second = rest.next().unwrap_or_default();
    let layer = if first == "crate" { second } else { first };
    let out = up == 0 && CRATES.contains(&first)
        || first == "std" && STD.contains(&second)
        || from_root && LAYERS.contains(&layer);
    out.then(|| path.segments.join("::"))
}

fn check_words(source: &Source, findings: &mut Vec<Finding>) {
    if source.is_test() {
        return;
    }
    for (name, instead) in WORDS {
        let used = source.scan().words.iter().find(|word| word.text == *name);
        if let Some(word) = used {
            let advice = format!("a domain module has no `{name}`: {instead}");
            findings.push(Finding::fault(&source.path, word.line, RULE, advice));
        }
    }
}
