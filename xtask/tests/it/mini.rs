//! A small workspace in a temporary folder that passes every rule, until a test plants a fault.

use std::path::Path;

use testkit::TempDir;
use xtask::finding::{Finding, Weight};
use xtask::workspace::Workspace;
use xtask::{graph, tidy};

const ROOT: &str = r#"
[workspace]
resolver = "3"
members = ["app", "contracts", "platform/*", "services/*"]
[workspace.package]
version = "0.1.0"
edition = "2024"
[workspace.lints.rust]
unsafe_code = "forbid"
[workspace.dependencies]
contracts = { path = "contracts" }
kernel = { path = "platform/kernel" }
mesh = { path = "platform/mesh" }
testkit = { path = "platform/testkit" }
links = { path = "services/links" }
orders = { path = "services/orders" }
"#;

const CONTRACT: &str = r#"//! Short links, as others see them.
pub const TOPIC_CHANGED: &str = "links.changed";
contract! {
    /// Short links.
    pub trait Links("links") error LinksError {
        query resolve(Resolve) -> Resolved;
    }
}
"#;

const LINKS: &str = r#"//! Short links.
use contracts::links::TOPIC_CHANGED;
pub fn publish() { kernel::send(TOPIC_CHANGED); }
"#;

const KNOBS: &str = r#"//! Design choices.
pub fn knobs() -> Knobs { Knobs::none().declare("cache", "speed for freshness").0 }
"#;

const PRICES: &str = "# Prices

| knob | value | p50 |
|---|---|---|
| [links.cache](../services/links/src/lib.rs) | `aside` | 1 ms |
| [links.cache](../services/links/src/lib.rs) | `none` | x2 |
";

const ORDERS: &str = r#"//! Orders.
use contracts::links::{LinksClient, TOPIC_CHANGED};
pub struct Deps { pub links: LinksClient }
pub fn hear() { kernel::hear(TOPIC_CHANGED); }
"#;

/// The workspace.
pub(crate) struct Mini {
    folder: TempDir,
}

impl Mini {
    /// One that passes.
    pub(crate) fn new() -> Self {
        let mini = Self {
            folder: TempDir::new().expect("the temporary workspace"),
        };
        mini.write("Cargo.toml", ROOT);
        mini.write(
            "README.md",
            "# Mini\n\nSee [the code](app/src/main.rs).\n\n```\ncargo run -- up --demo\n```\n",
        );
        mini.package("app", "tradewind", &["links", "orders"]);
        mini.write("app/src/main.rs", "//! The program.\nfn main() { links::publish(); orders::hear(); cli(\"up\", \"demo\") }\n");
        mini.package("contracts", "contracts", &["mesh"]);
        mini.write(
            "contracts/src/lib.rs",
            "//! Promises.\npub mod links;\nuse mesh::contract;\n",
        );
        mini.write("contracts/src/links.rs", CONTRACT);
        for name in ["kernel", "mesh", "testkit"] {
            mini.package(&format!("platform/{name}"), name, &[]);
            mini.write(
                &format!("platform/{name}/src/lib.rs"),
                "//! A platform crate about links and such.\n",
            );
        }
        mini.package("services/links", "links", &["contracts", "kernel"]);
        mini.write("services/links/src/lib.rs", LINKS);
        mini.write("services/links/src/knobs.rs", KNOBS);
        mini.write("docs/price-list.md", PRICES);
        mini.write(
            "services/links/src/domain.rs",
            "//! Rules.\npub fn rule(now: u64) -> bool { now > 3 }\n",
        );
        mini.migration("0001_init");
        mini.package("services/orders", "orders", &["contracts", "kernel"]);
        mini.write("services/orders/src/lib.rs", ORDERS);
        graph::write(&mini.load()).expect("the temporary workspace");
        mini
    }

    /// Writes a file, with its folders.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("the temporary workspace"))
            .expect("the temporary workspace");
        std::fs::write(path, text).expect("the temporary workspace");
    }

    /// Writes a pair of migrations of links and includes it, after the others.
    pub(crate) fn migration(&self, name: &str) {
        let mut list = String::new();
        for engine in ["sqlite", "postgres"] {
            let path = format!("store/migrations/{engine}/{name}.sql");
            self.write(&format!("services/links/src/{path}"), "SELECT 1;\n");
            list.push_str(&format!(
                "const {}: &str = include_str!(\"{path}\");\n",
                engine.to_uppercase()
            ));
        }
        let store = "services/links/src/store.rs";
        if !self.path().join(store).exists() {
            self.write(store, "//! Tables.\n");
        }
        self.append(store, &list);
    }

    /// Adds to the end of a file.
    pub(crate) fn append(&self, path: &str, text: &str) {
        let before = self.read(path);
        self.write(path, &(before + text));
    }

    /// Reads a file.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).expect("the temporary workspace")
    }

    /// Writes a manifest.
    pub(crate) fn package(&self, folder: &str, name: &str, dependencies: &[&str]) {
        let lines: String = dependencies
            .iter()
            .map(|name| format!("{name}.workspace = true\n"))
            .collect();
        self.write(
            &format!("{folder}/Cargo.toml"),
            &format!("[package]\nname = \"{name}\"\nversion.workspace = true\nedition.workspace = true\n\n[lints]\nworkspace = true\n\n[dependencies]\n{lines}"),
        );
    }

    /// The root.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Loads it as xtask does.
    pub(crate) fn load(&self) -> Workspace {
        Workspace::load(self.path()).expect("the temporary workspace")
    }

    /// What tidy finds, without the warnings.
    pub(crate) fn faults(&self) -> Vec<Finding> {
        let mut found = tidy::findings(&self.load());
        found.retain(|finding| finding.weight == Weight::Fault);
        found
    }

    /// Asserts that tidy finds this fault here and nothing else.
    #[track_caller]
    pub(crate) fn expect(&self, path: &str, line: usize, rule: &str, words: &str) {
        let faults = self.faults();
        let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(faults.len(), 1, "expected one fault: {shown:#?}");
        let fault = &faults[0];
        assert_eq!(
            (fault.path.as_str(), fault.line, fault.rule),
            (path, line, rule),
            "{shown:#?}"
        );
        assert!(fault.advice.contains(words), "{shown:#?}");
    }
}
