//! The service graph: who calls whom while a request waits, and which events each publishes and hears.
//! The [modules] of each crate have a graph of their own.
//!
//! It is read from the source, never from a running system:
//! a contract is a `contract!` in `contracts/src`, which ties a trait to a service;
//! a service calls another where its code names that trait or its client through `contracts::`;
//! a topic is a string constant in `contracts/src` whose name holds the word TOPIC or which stands in
//! a module `topics`; the contract's own service publishes it where it names it, another one hears it;
//! a topic that a service keeps to itself is such a constant in its own source.
//! A service that names its own topic in a `Consumer` hears it as well.

pub mod modules;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use crate::Outcome;
use crate::finding::Finding;
use crate::workspace::Workspace;

/// Where the graph is written down.
pub const PATH: &str = "docs/service-graph.txt";
const HEAD: &str = "# Who calls whom while a request waits, and who publishes and hears which events.\n\
                    # Written by `cargo xtask graph`, checked by `cargo xtask tidy`; do not edit.\n";

/// What one service is tied to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Services that it calls.
    pub calls: BTreeSet<String>,
    /// Topics that it publishes.
    pub publishes: BTreeSet<String>,
    /// Topics that it hears.
    pub hears: BTreeSet<String>,
}

/// Every service by name.
pub type Graph = BTreeMap<String, Node>;

/// Writes both graphs; fails on a circle of calls.
pub fn write(workspace: &Workspace) -> Result<Outcome> {
    let graph = read::graph(workspace);
    if let Some(circle) = circle(&graph) {
        bail!("{}", circle_advice(&circle));
    }
    let path = workspace.root.join(PATH);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, render(&graph))?;
    let areas = modules::areas(workspace);
    std::fs::write(workspace.root.join(modules::PATH), modules::render(&areas))?;
    Ok(Outcome {
        text: format!("wrote {PATH} and {}\n", modules::PATH),
        success: true,
    })
}

/// Says whether the written graphs are true.
pub fn check(workspace: &Workspace) -> Result<Outcome> {
    let mut findings = Vec::new();
    tidy(workspace, &mut findings);
    modules::check(workspace, &modules::areas(workspace), &mut findings);
    let text = findings
        .iter()
        .map(|finding| format!("{finding}\n"))
        .collect();
    Ok(Outcome {
        text,
        success: findings.is_empty(),
    })
}

/// The same as a rule of tidy.
pub fn tidy(workspace: &Workspace, findings: &mut Vec<Finding>) {
    let graph = read::graph(workspace);
    if let Some(circle) = circle(&graph) {
        findings.push(Finding::fault(
            PATH,
            1,
            "service-graph",
            circle_advice(&circle),
        ));
    }
    if workspace.text(PATH).as_deref() != Some(&render(&graph)) {
        let advice = "stale: run `cargo xtask graph` and commit what it wrote";
        findings.push(Finding::fault(PATH, 1, "service-graph", advice));
    }
}

fn circle_advice(circle: &[String]) -> String {
    format!(
        "calls go round in a circle: {}: turn one of them into an event",
        circle.join(" -> ")
    )
}

/// The text of the file.
pub fn render(graph: &Graph) -> String {
    let mut text = HEAD.to_owned();
    for (name, node) in graph {
        text.push_str(&format!("\n{name}\n"));
        let rows = [
            ("calls", &node.calls),
            ("publishes", &node.publishes),
            ("hears", &node.hears),
        ];
        for (title, entries) in rows {
            let list = entries
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ");
            let list = if list.is_empty() { "-" } else { &list };
            text.push_str(&format!("  {title}: {list}\n"));
        }
    }
    text
}

/// A circle of calls, as the names along it with the first one repeated at the end.
pub fn circle(graph: &Graph) -> Option<Vec<String>> {
    let mut done = BTreeSet::new();
    graph
        .keys()
        .find_map(|name| visit(graph, name, &mut Vec::new(), &mut done))
}

fn visit(
    graph: &Graph,
    name: &str,
    path: &mut Vec<String>,
    done: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    if let Some(start) = path.iter().position(|seen| seen == name) {
        let mut circle = path[start..].to_vec();
        circle.push(name.to_owned());
        return Some(circle);
    }
    if done.contains(name) {
        return None;
    }
    path.push(name.to_owned());
    let calls = graph.get(name).map(|node| &node.calls);
    let found = calls
        .into_iter()
        .flatten()
        .find_map(|next| visit(graph, next, path, done));
    path.pop();
    done.insert(name.to_owned());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph
                .entry((*from).to_owned())
                .or_default()
                .calls
                .insert((*to).to_owned());
            graph.entry((*to).to_owned()).or_default();
        }
        graph
    }

    #[test]
    fn a_diamond_is_no_circle() {
        assert_eq!(
            circle(&graph(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])),
            None
        );
    }

    #[test]
    fn a_circle_is_told_from_its_first_member() {
        let found = circle(&graph(&[("a", "b"), ("b", "c"), ("c", "b")]));
        assert_eq!(found, Some(vec!["b".into(), "c".into(), "b".into()]));
    }
}
