//! The test binaries of the workspace, built by one cargo command.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// One executable that holds tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// The package that it tests.
    pub package: String,
    /// `it` for stories, `lib` for the tests inside of a library, else the name of the program.
    pub target: String,
    /// Where it is.
    pub path: PathBuf,
    /// Where it runs: the package's folder, as with cargo.
    pub folder: PathBuf,
}

impl Binary {
    /// What it is called in lists: `links it`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} {}", self.package, self.target)
    }
}

/// Builds tests, programs, benchmarks and examples, and gives back the binaries with tests: the largest
/// first, since much code has many stories, and what takes longest should not begin last.
pub fn build(root: &Path) -> Result<Vec<Binary>> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root);
    build_with(cargo)
}

/// The same by this cargo command, which knows where.
pub fn build_with(mut cargo: Command) -> Result<Vec<Binary>> {
    let output = cargo
        .args([
            "test",
            "--workspace",
            "--all-targets",
            "--locked",
            "--no-run",
            "--quiet",
        ])
        .args(["--message-format", "json-render-diagnostics"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("run cargo test --no-run")?;
    if !output.status.success() {
        bail!("the tests do not build: see above");
    }
    let mut binaries = list(&String::from_utf8_lossy(&output.stdout));
    binaries.sort_by_key(|binary| {
        std::cmp::Reverse(std::fs::metadata(&binary.path).map_or(0, |file| file.len()))
    });
    Ok(binaries)
}

/// The binaries with tests in cargo's messages, one JSON object a line.
#[must_use]
pub fn list(messages: &str) -> Vec<Binary> {
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    messages
        .filter_map(|message: Value| binary(&message))
        .collect()
}

fn binary(message: &Value) -> Option<Binary> {
    let is_test = message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
    let kind = message["target"]["kind"][0].as_str()?;
    // Benchmarks and examples are built to be checked; they hold no tests.
    if !is_test || !matches!(kind, "lib" | "bin" | "test") {
        return None;
    }
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?;
    let target = match kind {
        "lib" => "lib",
        _ => message["target"]["name"].as_str()?,
    };
    Some(Binary {
        package: package(message["package_id"].as_str()?),
        target: target.to_owned(),
        path: PathBuf::from(message["executable"].as_str()?),
        folder: folder.to_owned(),
    })
}

/// The name in a package id: `path+file:///x/platform/mesh#0.1.0`, or `..#name@0.1.0`.
fn package(id: &str) -> String {
    let (path, version) = id.rsplit_once('#').unwrap_or((id, ""));
    let name = match version.split_once('@') {
        Some((name, _)) => name,
        None => path.rsplit('/').next().unwrap_or(path),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_are_read_from_cargos_messages() {
        let artifact = |id: &str, kind: &str, test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"{id}","manifest_path":"/w/platform/mesh/Cargo.toml","target":{{"kind":["{kind}"],"name":"it"}},"profile":{{"test":{test}}},"executable":"/w/target/it-1"}}"#
            )
        };
        let text = [
            artifact("path+file:///w/platform/mesh#0.1.0", "test", true),
            artifact("path+file:///w/app#tradewind@0.1.0", "lib", true),
            artifact("path+file:///w/app#tradewind@0.1.0", "bench", true),
            artifact("path+file:///w/app#tradewind@0.1.0", "bin", false),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
            "no json".to_owned(),
        ]
        .join("\n");
        let labels: Vec<String> = list(&text).iter().map(Binary::label).collect();
        assert_eq!(labels, ["mesh it", "tradewind lib"]);
        assert_eq!(list(&text)[0].folder, Path::new("/w/platform/mesh"));
    }
}
