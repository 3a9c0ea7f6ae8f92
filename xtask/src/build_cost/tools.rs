//! Which crates serve the build alone: procedural macros, what build scripts need, and what only
//! these need.
//!
//! The page of timings names packages, not what they are built for. A package that the program needs
//! too (`memchr`) counts as the program's, in both forms.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Build;
use crate::workspace::Workspace;

/// The names of these crates, for this build.
pub(super) fn of(workspace: &Workspace, build: Build) -> Result<BTreeSet<String>> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--offline"])
        // What was built is there; what other platforms need may not be.
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(&workspace.root)
        .output()
        .context("run cargo metadata")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo metadata: {}", said.trim());
    let metadata = serde_json::from_slice(&output.stdout).context("cargo metadata's JSON")?;
    Ok(among(&metadata, build))
}

fn among(metadata: &Value, build: Build) -> BTreeSet<String> {
    let packages = || metadata["packages"].as_array().into_iter().flatten();
    let names: BTreeMap<_, _> = packages()
        .map(|each| (text(&each["id"]), text(&each["name"])))
        .collect();
    let macros: BTreeSet<_> = packages()
        .filter(|each| is_macro(each))
        .map(|each| text(&each["id"]))
        .collect();
    let nodes = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten();
    let nodes: BTreeMap<_, _> = nodes.map(|node| (text(&node["id"]), node)).collect();
    let members = metadata["workspace_members"]
        .as_array()
        .into_iter()
        .flatten();
    let mut ahead: Vec<&str> = members
        .map(text)
        .filter(|id| build == Build::Tests || names.get(id) == Some(&"tradewind"))
        .collect();
    let mut shipped = BTreeSet::new();
    while let Some(id) = ahead.pop() {
        if macros.contains(id) || !shipped.insert(id) {
            continue;
        }
        let needed = nodes.get(id).and_then(|node| node["deps"].as_array());
        let needed = needed.into_iter().flatten().filter(|each| is_linked(each));
        ahead.extend(needed.map(|each| text(&each["pkg"])));
    }
    let shipped: BTreeSet<_> = shipped.iter().filter_map(|id| names.get(id)).collect();
    let all = names.values().filter(|name| !shipped.contains(name));
    all.map(|name| (*name).to_owned()).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn is_macro(package: &Value) -> bool {
    let targets = package["targets"].as_array().into_iter().flatten();
    targets
        .flat_map(|target| target["kind"].as_array().into_iter().flatten())
        .any(|kind| kind == "proc-macro")
}

/// Whether a dependency becomes part of the program or of a test: a build script's does not.
fn is_linked(dependency: &Value) -> bool {
    let kinds = dependency["dep_kinds"].as_array().into_iter().flatten();
    kinds.into_iter().any(|kind| kind["kind"] != "build")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, kind: &str) -> Value {
        json!({"id": name, "name": name, "targets": [{"kind": [kind]}, {"kind": ["custom-build"]}]})
    }

    fn node(name: &str, needs: &[(&str, Option<&str>)]) -> Value {
        let deps = needs
            .iter()
            .map(|(pkg, kind)| json!({"pkg": pkg, "dep_kinds": [{"kind": kind}]}));
        json!({"id": name, "deps": deps.collect::<Vec<_>>()})
    }

    #[test]
    fn what_only_macros_and_build_scripts_need_serves_the_build() {
        let metadata = json!({
            "workspace_members": ["tradewind", "xtask"],
            "packages": [
                package("tradewind", "bin"), package("xtask", "bin"), package("serde", "lib"),
                package("serde_derive", "proc-macro"), package("syn", "lib"), package("memchr", "lib"),
                package("sqlite", "lib"), package("cc", "lib"),
            ],
            "resolve": {"nodes": [
                node("tradewind", &[("serde", None), ("sqlite", None), ("memchr", None)]),
                node("xtask", &[("syn", None)]),
                node("serde", &[("serde_derive", None)]),
                node("serde_derive", &[("syn", None), ("memchr", None)]),
                node("sqlite", &[("cc", Some("build"))]),
            ]},
        });
        let release: Vec<_> = among(&metadata, Build::Release).into_iter().collect();
        assert_eq!(release, ["cc", "serde_derive", "syn", "xtask"]);
        let tests: Vec<_> = among(&metadata, Build::Tests).into_iter().collect();
        assert_eq!(
            tests,
            ["cc", "serde_derive"],
            "a chore of ours reads Rust with syn"
        );
    }
}
