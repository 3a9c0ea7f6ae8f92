//! What a path of a crate means: the modules in which its names are bound.

use std::collections::{BTreeMap, BTreeSet};

use super::Place;
use super::scan::{self, Named};
use crate::workspace::{Package, Workspace};

/// A module names something of another one.
#[derive(Debug)]
pub(super) struct Knows {
    pub(super) from: Vec<String>,
    pub(super) to: Vec<String>,
    pub(super) place: Place,
}

/// So many imports of imports are followed: a circle of them is no program.
const STEPS_MAX: usize = 16;

/// The modules of a crate and the names that imports give in them.
#[derive(Debug, Default)]
struct Names {
    modules: BTreeSet<Vec<String>>,
    bound: BTreeMap<(Vec<String>, String), Vec<String>>,
}

/// Which modules of `package` know which.
pub(super) fn knowledge(workspace: &Workspace, package: &Package) -> Vec<Knows> {
    let folder = format!("{}/src", package.folder);
    let mut names = Names::default();
    let mut inner = Vec::new();
    let mut said: Vec<(&str, Named)> = Vec::new();
    let sources = workspace.sources_under(&folder);
    for source in sources.filter(|source| !source.is_test()) {
        let module = module(&source.path[folder.len() + 1..]);
        let paths = scan::paths(source, &module, &mut inner);
        said.extend(paths.into_iter().map(|named| (source.path.as_str(), named)));
        names.modules.insert(module);
    }
    names.modules.extend(inner);
    for (_, named) in &said {
        if let Some(bound) = &named.bound {
            let name = (named.module.clone(), bound.clone());
            names.bound.insert(name, named.segments.clone());
        }
    }
    let mut knowledge = Vec::new();
    for (path, named) in &said {
        for to in names.meant(named) {
            let place = Place {
                path: (*path).to_owned(),
                line: named.line,
            };
            let from = named.module.clone();
            knowledge.push(Knows { from, to, place });
        }
    }
    knowledge
}

/// The module that a file is, by its path below `src`; nothing for the root.
fn module(path: &str) -> Vec<String> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let parts = match path {
        "lib" | "main" => "",
        path => path,
    };
    let parts = parts.split('/').filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

impl Names {
    /// The modules that a path leads to: the one that gives the name, and those that it has it from.
    fn meant(&self, named: &Named) -> Vec<Vec<String>> {
        let mut meant = Vec::new();
        // An import is not explained by the name that it gives itself.
        let own = named.bound.as_deref();
        if let Some((start, rest)) = self.start(&named.module, &named.segments, own) {
            self.walk(start, rest, &mut meant);
        }
        meant
    }

    /// Where a path begins, and what is left of it; nothing if it begins in another crate.
    fn start<'a>(
        &self,
        module: &[String],
        segments: &'a [String],
        own: Option<&str>,
    ) -> Option<(Vec<String>, &'a [String])> {
        let (first, rest) = segments.split_first()?;
        let child = [module, std::slice::from_ref(first)].concat();
        match first.as_str() {
            "crate" => Some((Vec::new(), rest)),
            "self" => Some((module.to_vec(), rest)),
            "super" => {
                let above = &module[..module.len().checked_sub(1)?];
                match rest.first() {
                    Some(next) if next == "super" => self.start(above, rest, own),
                    _ => Some((above.to_vec(), rest)),
                }
            }
            _ if self.modules.contains(&child) => Some((child, rest)),
            name if own != Some(name)
                && self.bound.contains_key(&(module.to_vec(), name.to_owned())) =>
            {
                Some((module.to_vec(), segments))
            }
            _ => None,
        }
    }

    fn walk(&self, start: Vec<String>, rest: &[String], meant: &mut Vec<Vec<String>>) {
        let (mut at, mut rest) = (start, rest.to_vec());
        for _ in 0..STEPS_MAX {
            let deeper = |at: &Vec<String>, name: &String| {
                [at.as_slice(), std::slice::from_ref(name)].concat()
            };
            while let Some(name) = rest.first()
                && self.modules.contains(&deeper(&at, name))
            {
                at.push(rest.remove(0));
            }
            meant.push(at.clone());
            let Some(name) = rest.first() else { return };
            let Some(target) = self.bound.get(&(at.clone(), name.clone())) else {
                return;
            };
            let Some((next, more)) = self.start(&at, target, Some(name)) else {
                return;
            };
            rest = more.iter().cloned().chain(rest.drain(1..)).collect();
            at = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(path: &str) -> Vec<String> {
        path.split("::")
            .filter(|w| !w.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn names(modules: &[&str], bound: &[(&str, &str, &str)]) -> Names {
        Names {
            modules: modules.iter().map(|m| words(m)).collect(),
            bound: bound
                .iter()
                .map(|(module, name, path)| ((words(module), (*name).to_owned()), words(path)))
                .collect(),
        }
    }

    fn meant(names: &Names, module: &str, path: &str) -> Vec<String> {
        let named = Named {
            module: words(module),
            segments: words(path),
            bound: None,
            line: 1,
        };
        names.meant(&named).iter().map(|m| m.join("::")).collect()
    }

    #[test]
    fn a_path_leads_to_a_module_from_the_root_from_above_and_from_here() {
        let names = names(&["", "a", "a::b", "c"], &[]);
        assert_eq!(meant(&names, "c", "crate::a::b::f"), ["a::b"]);
        assert_eq!(meant(&names, "a::b", "super::super::c::X"), ["c"]);
        assert_eq!(meant(&names, "a", "b::f"), ["a::b"]);
        assert_eq!(meant(&names, "a", "serde::f"), [""; 0]);
    }

    #[test]
    fn a_name_that_is_passed_on_leads_to_where_it_is_from() {
        let names = names(
            &["", "a", "a::b", "c"],
            &[
                ("", "X", "a::X"),
                ("a", "X", "self::b::X"),
                ("c", "X", "crate::X"),
            ],
        );
        assert_eq!(meant(&names, "c", "X::new"), ["c", "", "a", "a::b"]);
    }

    #[test]
    fn a_module_of_the_name_of_a_crate_explains_no_import_of_the_crate() {
        let names = names(&["", "a"], &[("a", "load", "load")]);
        assert_eq!(meant(&names, "a", "load::run"), ["a"]);
    }
}
