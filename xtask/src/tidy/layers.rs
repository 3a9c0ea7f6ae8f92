//! Who may know whom among our own crates: app -> services -> contracts, platform; app -> lab ->
//! kernel. Those crates of the lab that are systems to be measured stand on platform.
//!
//! Development dependencies obey the same arrows, so a service's tests cannot reach around a contract.

use crate::finding::Finding;
use crate::workspace::{Dependency, Package, Shelf, Workspace};

const RULE: &str = "layers";
/// What a contract may stand on.
const UNDER_CONTRACTS: &[&str] = &["kernel", "mesh"];
/// What the lab may stand on: faults are named as the system names them; the last is for tests.
const UNDER_LAB: &[&str] = &["kernel", "faults", "testkit"];
/// The crates of the lab that are measured and do not measure.
const UNDER_TEST: &[&str] = &["stage", "twins"];

/// Compares each manifest with the arrows.
pub fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    for package in &workspace.packages {
        if package.shelf() == Shelf::Other {
            let advice = "no rule knows this folder: put the crate into app, contracts, platform, \
                          services, lab, console or xtask";
            findings.push(Finding::fault(&package.manifest(), 1, RULE, advice));
        }
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.ours)
        {
            let Some(target) = workspace
                .packages
                .iter()
                .find(|p| p.name == dependency.name)
            else {
                continue;
            };
            if let Some(advice) = objection(package, dependency, target) {
                let path = package.manifest();
                let line = super::manifests::line_of(workspace, &path, &dependency.name);
                findings.push(Finding::fault(&path, line, RULE, advice));
            }
        }
    }
}

fn objection(from: &Package, dependency: &Dependency, to: &Package) -> Option<String> {
    let (name, to_shelf) = (&to.name, to.shelf());
    if from.name == to.name {
        return None;
    }
    if to_shelf == Shelf::Xtask {
        return Some(format!(
            "nothing depends on `{name}`: move what is shared to a crate of its own"
        ));
    }
    if name == "testkit" && !dependency.dev {
        return Some("`testkit` is for tests: put it under [dev-dependencies]".to_owned());
    }
    match from.shelf() {
        Shelf::App | Shelf::Other => None,
        Shelf::Lab if UNDER_TEST.contains(&from.name.as_str()) => (to_shelf != Shelf::Platform)
            .then(|| {
                format!("a system that the lab measures stands on platform only, not on `{name}`")
            }),
        Shelf::Lab => (to_shelf != Shelf::Lab && !UNDER_LAB.contains(&name.as_str())).then(|| {
            format!("the lab looks from outside and knows kernel and faults only, not `{name}`")
        }),
        _ if to_shelf == Shelf::Lab => Some(format!(
            "only app knows the lab: what `{name}` measures does not know that it is measured"
        )),
        Shelf::Service if to_shelf == Shelf::Service => Some(format!(
            "no service knows the service `{name}`: use its contract in contracts/src/{name}.rs"
        )),
        Shelf::Service | Shelf::Console => {
            (!matches!(to_shelf, Shelf::Contracts | Shelf::Platform))
                .then(|| format!("only contracts and platform may be used here, not `{name}`"))
        }
        Shelf::Contracts => (!UNDER_CONTRACTS.contains(&name.as_str()))
            .then(|| format!("contracts stand on kernel and mesh only, not on `{name}`")),
        Shelf::Platform => (to_shelf != Shelf::Platform)
            .then(|| format!("platform knows only platform, not `{name}`: turn the arrow round")),
        Shelf::Xtask if name == "testkit" => None,
        Shelf::Xtask => Some(format!(
            "xtask reads the code and does not link it: drop `{name}`"
        )),
    }
}
