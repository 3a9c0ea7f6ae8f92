//! Manifests: versions stand once, in the root; lints are the workspace's; nothing unused is named.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::workspace::{Package, Workspace, is_under};

/// Reads each crate's manifest.
pub fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    check_shared(workspace, findings);
    for package in &workspace.packages {
        let path = package.manifest();
        let Some(text) = workspace.text(&path) else {
            continue;
        };
        // What does not parse, cargo reports better.
        let Ok(manifest) = text.parse::<toml::Table>() else {
            continue;
        };
        check_lints(&path, &manifest, findings);
        check_versions(workspace, &path, &manifest, findings);
        check_use(workspace, package, &manifest, findings);
    }
}

/// Every line of `[workspace.dependencies]` is used by a crate, or is one of our own crates.
fn check_shared(workspace: &Workspace, findings: &mut Vec<Finding>) {
    let root = workspace
        .text("Cargo.toml")
        .and_then(|text| text.parse::<toml::Table>().ok());
    let shared = root
        .as_ref()
        .and_then(|root| root.get("workspace")?.get("dependencies")?.as_table());
    for (name, _) in shared
        .into_iter()
        .flatten()
        .filter(|(_, value)| value.get("path").is_none())
    {
        let mut used = workspace
            .packages
            .iter()
            .flat_map(|package| &package.dependencies);
        if !used.any(|dependency| dependency.name == *name) {
            let line = line_of(workspace, "Cargo.toml", name);
            let advice = format!("no crate depends on `{name}`: drop it");
            findings.push(Finding::fault(
                "Cargo.toml",
                line,
                "unused-dependency",
                advice,
            ));
        }
    }
}

fn check_lints(path: &str, manifest: &toml::Table, findings: &mut Vec<Finding>) {
    let inherited = manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"));
    if inherited.and_then(toml::Value::as_bool) != Some(true) {
        findings.push(Finding::fault(
            path,
            1,
            "shared-lints",
            "add `[lints]` with `workspace = true`",
        ));
    }
}

fn check_versions(
    workspace: &Workspace,
    path: &str,
    manifest: &toml::Table,
    findings: &mut Vec<Finding>,
) {
    for (name, value) in dependency_tables(manifest).into_iter().flatten() {
        let shared = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
        if !shared {
            let advice =
                format!("write `{name}.workspace = true` and its version in the root Cargo.toml");
            let line = line_of(workspace, path, name);
            findings.push(Finding::fault(path, line, "shared-versions", advice));
        }
    }
}

/// Every dependency's name occurs in the crate's code. Exceptions stand in the manifest, under
/// `[package.metadata.tidy] keep = ["name"]`, for what only a macro of another crate needs.
fn check_use(
    workspace: &Workspace,
    package: &Package,
    manifest: &toml::Table,
    findings: &mut Vec<Finding>,
) {
    let kept = manifest
        .get("package")
        .and_then(|table| table.get("metadata")?.get("tidy")?.get("keep")?.as_array())
        .map(|names| {
            names
                .iter()
                .filter_map(toml::Value::as_str)
                .collect::<Vec<_>>()
        })
        .unwrap_or_default();
    let mut known = BTreeSet::new();
    let elsewhere = folders_elsewhere(&package.folder, manifest);
    let is_own = |path: &str| {
        is_under(path, &package.folder) || elsewhere.iter().any(|folder| is_under(path, folder))
    };
    for source in workspace.sources().iter().filter(|s| is_own(&s.path)) {
        known.extend(
            source
                .scan()
                .paths
                .iter()
                .map(|path| path.segments[0].as_str()),
        );
    }
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        if !kept.contains(&name) && !known.contains(name.replace('-', "_").as_str()) {
            let path = package.manifest();
            let line = line_of(workspace, &path, name);
            let advice = format!("no code of this crate names `{name}`: drop it");
            findings.push(Finding::fault(&path, line, "unused-dependency", advice));
        }
    }
}

/// The folders of benches that a manifest names by a path out of its own folder, from the root.
fn folders_elsewhere(folder: &str, manifest: &toml::Table) -> Vec<String> {
    let benches = manifest.get("bench").and_then(toml::Value::as_array);
    let paths = benches
        .into_iter()
        .flatten()
        .filter_map(|bench| bench.get("path")?.as_str());
    paths
        .filter_map(|path| {
            let ups = path.matches("../").count();
            let kept = folder.split('/').count().checked_sub(ups)?;
            let base: Vec<&str> = folder.split('/').take(kept).collect();
            let (inside, _) = path.trim_start_matches("../").rsplit_once('/')?;
            (ups > 0).then(|| [&base[..], &[inside]].concat().join("/"))
        })
        .collect()
}

fn dependency_tables(manifest: &toml::Table) -> Vec<&toml::Table> {
    const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let per_target = targets.into_iter().flat_map(|table| table.values());
    let holders = per_target
        .filter_map(toml::Value::as_table)
        .chain([manifest]);
    holders
        .flat_map(|holder| {
            KINDS
                .iter()
                .filter_map(|kind| holder.get(*kind)?.as_table())
        })
        .collect()
}

/// The line on which a manifest names a dependency; 1 where it cannot be found.
pub(crate) fn line_of(workspace: &Workspace, path: &str, name: &str) -> usize {
    let text = workspace.text(path).unwrap_or_default();
    let names = |line: &str| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with([' ', '.', '=']))
    };
    text.lines().position(names).map_or(1, |at| at + 1)
}
