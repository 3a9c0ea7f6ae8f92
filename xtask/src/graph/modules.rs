//! The module graph: which modules of a crate know which, read from the paths that their code names.
//!
//! An area is a crate, or a module that has modules of its own; its members are compared with each
//! other, so that every level of a crate has a picture. The module above them is their front: it
//! names them all and they may name it, so that it is no member, and what it re-exports counts as
//! the module behind. Tests are no part of the picture.

mod names;
mod scan;

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Finding;
use crate::workspace::Workspace;

/// Where the graph is written down.
pub const PATH: &str = "docs/module-graph.txt";
const HEAD: &str = "# The modules of each crate: a line knows only lines below it, and those in brackets go in a circle.\n\
                    # Modules that know none of their neighbours and are known to none are left out.\n\
                    # Written by `cargo xtask graph`, checked by `cargo xtask tidy`; do not edit.\n";

/// Where a module names another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
}

/// The modules at one level of a crate.
#[derive(Debug, Default)]
pub struct Area {
    /// The crate, or the module in it: `links`, `links::store`.
    pub name: String,
    /// Who knows whom, and the first place that says so.
    pub edges: BTreeMap<(String, String), Place>,
}

/// Every area whose modules know each other, by name.
pub fn areas(workspace: &Workspace) -> Vec<Area> {
    let mut areas: BTreeMap<String, Area> = BTreeMap::new();
    for package in &workspace.packages {
        for found in names::knowledge(workspace, package) {
            let Some((level, from, to)) = apart(&found.from, &found.to) else {
                continue;
            };
            let front = std::iter::once(package.name.as_str());
            let front = front.chain(found.from[..level].iter().map(String::as_str));
            let name = front.collect::<Vec<_>>().join("::");
            let area = areas.entry(name.clone()).or_default();
            area.name = name;
            let place = area.edges.entry((from.to_owned(), to.to_owned()));
            let place = place.or_insert_with(|| found.place.clone());
            if found.place < *place {
                *place = found.place;
            }
        }
    }
    areas.into_values().collect()
}

/// The level at which two modules part, and their names there; nothing if one stands above the other.
fn apart<'a>(from: &'a [String], to: &'a [String]) -> Option<(usize, &'a str, &'a str)> {
    let level = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    Some((level, from.get(level)?, to.get(level)?))
}

impl Area {
    /// The groups of modules of which each knows each other one, perhaps through others; sorted.
    pub fn circles(&self) -> Vec<BTreeSet<String>> {
        let mut circles: Vec<BTreeSet<String>> = self.groups();
        circles.retain(|group| group.len() > 1);
        circles.sort();
        circles
    }

    /// Every module, with those that it goes in a circle with.
    fn groups(&self) -> Vec<BTreeSet<String>> {
        let modules: BTreeSet<&String> = self.edges.keys().flat_map(|(a, b)| [a, b]).collect();
        let reach: BTreeMap<&String, BTreeSet<&String>> = modules
            .iter()
            .map(|from| (*from, self.reach(from)))
            .collect();
        let both = |a: &String, b: &String| a == b || reach[a].contains(b) && reach[b].contains(a);
        let group = |from: &&String| -> BTreeSet<String> {
            let members = modules.iter().filter(|to| both(from, to));
            members.map(|to| (*to).clone()).collect()
        };
        let groups: BTreeSet<BTreeSet<String>> = modules.iter().map(group).collect();
        groups.into_iter().collect()
    }

    /// Everything that `from` knows, by however many steps.
    fn reach<'a>(&'a self, from: &String) -> BTreeSet<&'a String> {
        let mut seen: BTreeSet<&String> = BTreeSet::new();
        let mut open: Vec<&String> = self.known_to(from).collect();
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                open.extend(self.known_to(next));
            }
        }
        seen
    }

    fn known_to<'a>(&'a self, from: &String) -> impl Iterator<Item = &'a String> {
        let edges = self.edges.keys();
        edges.filter(move |(a, _)| a == from).map(|(_, b)| b)
    }

    /// The groups by height: those of a line know only groups of the lines before.
    fn layers(&self) -> Vec<Vec<BTreeSet<String>>> {
        let mut left = self.groups();
        let mut layers = Vec::new();
        while !left.is_empty() {
            let above: BTreeSet<String> = left.iter().flatten().cloned().collect();
            let is_free = |group: &BTreeSet<String>| {
                let mut known = group.iter().flat_map(|member| self.known_to(member));
                known.all(|name| group.contains(name) || !above.contains(name))
            };
            let (layer, rest): (Vec<_>, Vec<_>) = left.into_iter().partition(is_free);
            layers.push(layer);
            left = rest;
        }
        layers
    }

    /// The shortest way round through the modules of `circle`, its first module at both ends.
    pub fn way_round(&self, circle: &BTreeSet<String>) -> Vec<String> {
        let ways = circle
            .iter()
            .filter_map(|start| self.way_back(start, circle));
        ways.min_by_key(Vec::len).unwrap_or_default()
    }

    fn way_back(&self, start: &String, circle: &BTreeSet<String>) -> Option<Vec<String>> {
        let mut ways = vec![vec![start.clone()]];
        let mut seen = BTreeSet::new();
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                for next in self.known_to(way.last()?).filter(|n| circle.contains(*n)) {
                    let more = way.iter().chain([next]).cloned().collect();
                    if next == start {
                        return Some(more);
                    }
                    if seen.insert(next.clone()) {
                        longer.push(more);
                    }
                }
            }
            ways = longer;
        }
        None
    }
}

/// Says whether the written graph is that of `areas`.
pub fn check(workspace: &Workspace, areas: &[Area], findings: &mut Vec<Finding>) {
    if workspace.text(PATH).as_deref() != Some(&render(areas)) {
        let advice = "stale: run `cargo xtask graph` and commit what it wrote";
        findings.push(Finding::fault(PATH, 1, "module-graph", advice));
    }
}

/// The text of the file.
pub fn render(areas: &[Area]) -> String {
    let mut text = HEAD.to_owned();
    for area in areas {
        text.push_str(&format!("\n{}\n", area.name));
        for layer in area.layers().iter().rev() {
            let groups: Vec<String> = layer.iter().map(shown).collect();
            text.push_str(&format!("  {}\n", groups.join(", ")));
        }
    }
    text
}

fn shown(group: &BTreeSet<String>) -> String {
    let names = group.iter().map(String::as_str).collect::<Vec<_>>();
    match names.as_slice() {
        [name] => (*name).to_owned(),
        names => format!("({})", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(edges: &[(&str, &str)]) -> Area {
        let place = Place {
            path: String::new(),
            line: 1,
        };
        let named = |(a, b): &(&str, &str)| (((*a).to_owned(), (*b).to_owned()), place.clone());
        Area {
            name: "x".to_owned(),
            edges: edges.iter().map(named).collect(),
        }
    }

    #[test]
    fn a_line_knows_only_lines_below_it_and_a_circle_stands_in_brackets() {
        let area = area(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d"), ("e", "d")]);
        let text = render(&[area]);
        assert_eq!(
            text.strip_prefix(HEAD),
            Some("\nx\n  a\n  (b, c), e\n  d\n")
        );
    }

    #[test]
    fn the_shortest_way_round_a_circle_is_told() {
        let area = area(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "b")]);
        let circles = area.circles();
        assert_eq!(circles.len(), 1);
        assert_eq!(area.way_round(&circles[0]), ["b", "c", "b"]);
    }
}
