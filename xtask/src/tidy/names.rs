//! Platform names no service.
//!
//! What counts is code: a path into a service's crate or contract, a type named after the contract
//! (`Links`, `LinksClient`, ..), and a string that is an identifier rather than a sentence.
//! Comments and sentences are free, because a service's name is often a plain English word;
//! so are the strings of tests, which need names for their examples.

use crate::finding::Finding;
use crate::source::Source;
use crate::workspace::Workspace;

const RULE: &str = "platform-names-no-service";

/// Looks for the services' names in every Rust file of `platform/`.
pub fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    let services: Vec<&str> = workspace
        .services()
        .map(|package| package.name.as_str())
        .collect();
    for source in workspace.sources_under("platform") {
        for service in &services {
            for (line, what) in mentions(source, service) {
                let advice =
                    format!("`{what}` names the service `{service}`: take it as a parameter");
                findings.push(Finding::fault(&source.path, line, RULE, advice));
            }
        }
    }
}

fn mentions(source: &Source, service: &str) -> Vec<(usize, String)> {
    let scan = source.scan();
    let ident = service.replace('-', "_");
    let camel = camel(&ident);
    let types = [
        camel.clone(),
        format!("{camel}Client"),
        format!("{camel}Server"),
        format!("{camel}Error"),
    ];
    let paths = scan.paths.iter().filter(|path| {
        let through_contracts = path.segments[0] == "contracts";
        path.segments[0] == ident || through_contracts && path.segments.contains(&ident)
    });
    let words = scan.words.iter().filter(|word| types.contains(&word.text));
    let strings = scan
        .strings
        .iter()
        .filter(|string| !source.is_test() && is_name(&string.text, service));
    paths
        .map(|path| (path.line, path.segments.join("::")))
        .chain(
            words
                .chain(strings)
                .map(|word| (word.line, word.text.clone())),
        )
        .collect()
}

/// Whether a string without blanks holds the name as one of its parts: `/api/links`, `links.changed`.
fn is_name(text: &str, service: &str) -> bool {
    !text.contains(char::is_whitespace)
        && text
            .split(|c: char| !c.is_alphanumeric())
            .any(|part| part == service)
}

/// `parcel_office` as `ParcelOffice`.
pub(crate) fn camel(name: &str) -> String {
    name.split(['_', '-'])
        .filter_map(|part| {
            let mut chars = part.chars();
            chars
                .next()
                .map(|first| first.to_uppercase().collect::<String>() + chars.as_str())
        })
        .collect()
}
