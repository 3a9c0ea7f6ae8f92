//! The workspace as the rules see it: its packages with what they depend on, and its files.
//!
//! Packages come from `cargo metadata --no-deps`, so nothing is resolved or fetched.
//! Files come from git (tracked, and new but not ignored), or from a walk where there is no git.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::source::Source;

/// One crate of the workspace.
#[derive(Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder, from the workspace root: `platform/mesh`.
    pub folder: String,
    /// What its manifest names.
    pub dependencies: Vec<Dependency>,
}

/// One line of a manifest's dependency tables.
#[derive(Debug)]
pub struct Dependency {
    /// The package that is meant.
    pub name: String,
    /// Whether it is one of our own crates.
    pub ours: bool,
    /// Whether it stands under `dev-dependencies`.
    pub dev: bool,
}

/// Where a crate stands in the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// The binary and composition root.
    App,
    /// What services promise each other.
    Contracts,
    /// What every service stands on.
    Platform,
    /// One bounded context.
    Service,
    /// What measures the rest from outside.
    Lab,
    /// The web page.
    Console,
    /// The chores.
    Xtask,
    /// Anything that the design does not name.
    Other,
}

impl Package {
    /// The shelf, by the folder.
    pub fn shelf(&self) -> Shelf {
        match self.folder.split('/').next().unwrap_or_default() {
            "app" => Shelf::App,
            "contracts" => Shelf::Contracts,
            "platform" => Shelf::Platform,
            "services" => Shelf::Service,
            "lab" => Shelf::Lab,
            "console" => Shelf::Console,
            "xtask" => Shelf::Xtask,
            _ => Shelf::Other,
        }
    }

    /// The path of its manifest.
    pub fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }
}

/// A loaded workspace.
#[derive(Debug)]
pub struct Workspace {
    /// Its root folder.
    pub root: PathBuf,
    /// Its packages, by folder.
    pub packages: Vec<Package>,
    /// Its files from the root, with forward slashes, sorted.
    pub files: Vec<String>,
    sources: OnceCell<Vec<Source>>,
}

impl Workspace {
    /// Reads the packages and lists the files.
    pub fn load(root: &Path) -> Result<Self> {
        let root = root
            .canonicalize()
            .with_context(|| format!("find {}", root.display()))?;
        let mut packages = list_packages(&root)?;
        packages.sort_by(|a, b| a.folder.cmp(&b.folder));
        let files = list_files(&root)?;
        Ok(Self {
            root,
            packages,
            files,
            sources: OnceCell::new(),
        })
    }

    /// The text of a file; `None` where it is not text.
    pub fn text(&self, path: &str) -> Option<String> {
        std::fs::read(self.root.join(path))
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
    }

    /// Every Rust file, read once.
    pub fn sources(&self) -> &[Source] {
        self.sources.get_or_init(|| {
            let rust = self.files.iter().filter(|path| path.ends_with(".rs"));
            rust.filter_map(|path| Some(Source::new(path, self.text(path)?)))
                .collect()
        })
    }

    /// The Rust files below a folder.
    pub fn sources_under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a Source> {
        self.sources()
            .iter()
            .filter(move |source| is_under(&source.path, folder))
    }

    /// The names of the services: the folders of `services/`.
    pub fn services(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| package.shelf() == Shelf::Service)
    }
}

/// Whether `path` lies in `folder`.
pub fn is_under(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// What `cargo metadata` (format 1) says of the workspace's own packages.
fn list_packages(root: &Path) -> Result<Vec<Package>> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("run cargo metadata")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo metadata: {}", said.trim());
    let metadata: Value =
        serde_json::from_slice(&output.stdout).context("cargo metadata's JSON")?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages.map(|each| package(root, each)).collect()
}

fn package(root: &Path, package: &Value) -> Result<Package> {
    let manifest = Path::new(package["manifest_path"].as_str().context("a manifest")?);
    let folder = manifest.parent().unwrap_or(manifest);
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    Ok(Package {
        name: package["name"].as_str().context("a name")?.to_owned(),
        folder: slashes(folder.strip_prefix(root).unwrap_or(folder)),
        dependencies: dependencies.filter_map(dependency).collect(),
    })
}

fn dependency(dependency: &Value) -> Option<Dependency> {
    Some(Dependency {
        name: dependency["name"].as_str()?.to_owned(),
        ours: dependency["path"].is_string(),
        dev: dependency["kind"] == "dev",
    })
}

fn list_files(root: &Path) -> Result<Vec<String>> {
    let mut files = if root.join(".git").exists() {
        git_files(root)?
    } else {
        Vec::new()
    };
    if files.is_empty() {
        walk(root, root, &mut files)?;
    }
    // A file that was deleted and not yet committed is still listed by git.
    files.retain(|path| root.join(path).is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

fn git_files(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .context("run git ls-files")?;
    let text =
        String::from_utf8(output.stdout).context("git ls-files gave a path that is no UTF-8")?;
    Ok(text
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect())
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            if !matches!(name, "target" | ".git" | "node_modules" | ".tradewind") {
                walk(root, &path, files)?;
            }
        } else {
            files.push(slashes(path.strip_prefix(root).unwrap_or(&path)));
        }
    }
    Ok(())
}

fn slashes(path: &Path) -> String {
    path.components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}
