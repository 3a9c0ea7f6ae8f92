//! One planted fault per rule.

use xtask::graph;

use crate::mini::Mini;

const LINKS: &str = "services/links/src/lib.rs";

#[test]
fn a_clean_workspace_has_no_faults() {
    let mini = Mini::new();
    assert_eq!(mini.faults(), []);
    assert!(xtask::tidy::run(&mini.load()).unwrap().success);
}

#[test]
fn a_service_that_knows_another_service_is_caught() {
    let mini = Mini::new();
    mini.append("services/orders/Cargo.toml", "links.workspace = true\n");
    mini.append("services/orders/src/lib.rs", "pub use links::publish;\n");
    mini.expect(
        "services/orders/Cargo.toml",
        12,
        "layers",
        "use its contract",
    );
}

#[test]
fn a_service_that_knows_another_only_in_its_tests_is_caught() {
    let mini = Mini::new();
    mini.append(
        "services/orders/Cargo.toml",
        "[dev-dependencies]\nlinks.workspace = true\n",
    );
    mini.append(
        "services/orders/src/lib.rs",
        "#[cfg(test)] use links::publish;\n",
    );
    mini.expect(
        "services/orders/Cargo.toml",
        13,
        "layers",
        "no service knows",
    );
}

#[test]
fn a_contract_that_knows_more_than_kernel_and_mesh_is_caught() {
    let mini = Mini::new();
    mini.append("contracts/Cargo.toml", "links.workspace = true\n");
    mini.append("contracts/src/lib.rs", "use links::x;\n");
    mini.expect("contracts/Cargo.toml", 11, "layers", "kernel and mesh only");
}

#[test]
fn a_platform_crate_that_knows_a_contract_is_caught() {
    let mini = Mini::new();
    mini.append("platform/kernel/Cargo.toml", "contracts.workspace = true\n");
    mini.append("platform/kernel/src/lib.rs", "use contracts::other;\n");
    mini.expect(
        "platform/kernel/Cargo.toml",
        10,
        "layers",
        "platform knows only platform",
    );
}

/// Adds a lab crate that obeys.
fn with_lab(mini: &Mini) {
    let root = mini
        .read("Cargo.toml")
        .replace("\"app\",", "\"app\", \"lab/*\",")
        .replace("links = {", "load = { path = \"lab/load\" }\nlinks = {");
    mini.write("Cargo.toml", &root);
    mini.package("lab/load", "load", &["kernel"]);
    mini.write("lab/load/src/lib.rs", "//! Load.\nuse kernel::x;\n");
}

#[test]
fn a_lab_crate_may_know_kernel_and_app_may_know_it() {
    let mini = Mini::new();
    with_lab(&mini);
    mini.append("app/Cargo.toml", "load.workspace = true\n");
    mini.append("app/src/main.rs", "use load::x;\n");
    assert_eq!(mini.faults(), []);
}

#[test]
fn a_lab_crate_that_knows_what_it_measures_is_caught() {
    for name in ["links", "mesh", "contracts"] {
        let mini = Mini::new();
        with_lab(&mini);
        mini.append("lab/load/Cargo.toml", &format!("{name}.workspace = true\n"));
        mini.append("lab/load/src/lib.rs", &format!("use {name}::x;\n"));
        mini.expect("lab/load/Cargo.toml", 11, "layers", "knows kernel only");
    }
}

#[test]
fn a_crate_other_than_app_that_knows_the_lab_is_caught() {
    for (folder, line) in [("services/orders", 12), ("platform/mesh", 10)] {
        let mini = Mini::new();
        with_lab(&mini);
        mini.append(&format!("{folder}/Cargo.toml"), "load.workspace = true\n");
        mini.append(&format!("{folder}/src/lib.rs"), "use load::x;\n");
        mini.expect(
            &format!("{folder}/Cargo.toml"),
            line,
            "layers",
            "only app knows the lab",
        );
    }
}

#[test]
fn platform_code_that_names_a_service_is_caught_and_prose_is_not() {
    let mini = Mini::new();
    mini.append(
        "platform/mesh/src/lib.rs",
        "fn f() { say(\"bad links are dropped\"); g(\"/api/links\") }\n",
    );
    mini.expect(
        "platform/mesh/src/lib.rs",
        2,
        "platform-names-no-service",
        "/api/links",
    );
    mini.write(
        "platform/mesh/src/lib.rs",
        "//! Mesh.\nstruct LinksClient;\n",
    );
    mini.expect(
        "platform/mesh/src/lib.rs",
        2,
        "platform-names-no-service",
        "LinksClient",
    );
}

#[test]
fn a_library_away_from_home_is_caught_in_the_manifest_and_in_code() {
    let mini = Mini::new();
    mini.append("Cargo.toml", "axum = \"0.8\"\n");
    mini.append("services/links/Cargo.toml", "axum.workspace = true\n");
    mini.write(
        "services/links/src/http.rs",
        "//! Routes.\npub fn routes() -> axum::Router { r() }\n",
    );
    assert_eq!(mini.faults(), []);
    mini.append(LINKS, "fn f() { m!(axum::serve()) }\n");
    mini.expect(LINKS, 4, "one-home", "services/*/src/http");
}

#[test]
fn an_sql_driver_in_a_service_is_caught() {
    let mini = Mini::new();
    mini.append("Cargo.toml", "rusqlite = \"0.43\"\n");
    mini.append("services/links/Cargo.toml", "rusqlite.workspace = true\n");
    mini.append("services/links/src/store.rs", "use rusqlite::Connection;\n");
    let faults = mini.faults();
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert!(
        faults
            .iter()
            .all(|fault| fault.rule == "one-home" && fault.advice.contains("storage::Db"))
    );
}

#[test]
fn a_domain_module_that_reaches_out_is_caught() {
    for (line, words) in [
        ("use tokio::time::sleep;", "tokio::time::sleep"),
        ("use std::{collections::BTreeMap, fs};", "std::fs"),
        ("fn f() { crate::store::read() }", "crate::store::read"),
        ("async fn f() {}", "`async`"),
        ("use std::net::TcpStream;", "`TcpStream`"),
        ("fn f(at: std::time::Instant) {}", "`Instant`"),
        ("use std::time::*; fn f(at: SystemTime) {}", "`SystemTime`"),
        ("use kernel::{Clock};", "`Clock`"),
        ("fn f(tasks: &kernel::Tasks) {}", "`Tasks`"),
        ("fn f() { SystemRandom.next() }", "`SystemRandom`"),
        ("use super::super::store;", "super::super::store"),
        ("use super::super::{http::Page};", "super::super::http"),
        (
            "fn f() { g!(super::super::service::x()) }",
            "super::super::service",
        ),
    ] {
        let mini = Mini::new();
        mini.write(
            "services/links/src/domain/rules.rs",
            &format!("//! Rules.\n{line}\n"),
        );
        mini.expect(
            "services/links/src/domain/rules.rs",
            2,
            "pure-domain",
            words,
        );
    }
}

#[test]
fn a_domain_module_may_use_values_of_its_own_and_of_others() {
    let mini = Mini::new();
    mini.write(
        "services/links/src/domain/rules.rs",
        "//! Rules.\nuse super::http; use std::net::IpAddr; use kernel::Random;\n\
         #[cfg(test)] mod tests { use kernel::SystemRandom; }\n",
    );
    assert_eq!(mini.faults(), []);
    mini.write(
        "services/links/src/domain.rs",
        "//! Rules.\nuse super::store;\n",
    );
    mini.expect(
        "services/links/src/domain.rs",
        2,
        "pure-domain",
        "super::store",
    );
}

#[test]
fn a_long_file_warns_first_and_then_fails() {
    let mini = Mini::new();
    let lines = |count: usize| format!("//! Long.\n{}", "// more\n".repeat(count - 1));
    mini.write("app/src/long.rs", &lines(401));
    assert_eq!(mini.faults(), []);
    let warned = xtask::tidy::run(&mini.load()).unwrap();
    assert!(
        warned
            .text
            .contains("app/src/long.rs:1: warning: file-size: 401 lines"),
        "{}",
        warned.text
    );
    mini.write("app/src/long.rs", &lines(501));
    mini.expect("app/src/long.rs", 1, "file-size", "501 lines");
}

#[test]
fn a_file_of_tests_may_be_longer() {
    let mini = Mini::new();
    let lines = |count: usize| format!("//! Long.\n{}", "// more\n".repeat(count - 1));
    mini.write("app/tests/long.rs", &lines(800));
    assert_eq!(mini.faults(), []);
    mini.write("app/tests/long.rs", &lines(801));
    mini.expect("app/tests/long.rs", 1, "file-size", "at most 800");
}

#[test]
fn a_long_function_is_caught_and_comments_are_free() {
    let mini = Mini::new();
    let body = |count: usize| {
        format!(
            "//! Long.\nfn long() {{\n{}{}}}\n",
            "    // why\n".repeat(30),
            "    f();\n".repeat(count)
        )
    };
    mini.write("app/src/long.rs", &body(70));
    assert_eq!(mini.faults(), []);
    mini.write("app/src/long.rs", &body(71));
    mini.expect("app/src/long.rs", 2, "function-size", "`long` has 71 lines");
}

#[test]
fn a_long_function_inside_of_a_macro_is_caught() {
    let body = "        f();\n".repeat(71);
    for (head, name) in [
        ("story! {\n    async fn long() -> u8 {\n", "long"),
        (
            "macro_rules! m { () => {\n    fn $name(f: fn(u8)) where T: X {\n",
            "name",
        ),
        ("impl X {\n    fn long(&self) {\n", "long"),
    ] {
        let mini = Mini::new();
        let ends = "}".repeat(head.matches('{').count() - head.matches('}').count());
        mini.write(
            "app/src/long.rs",
            &format!("//! Long.\n{head}{body}    {ends}\n"),
        );
        let words = format!("`{name}` has 71 lines");
        mini.expect("app/src/long.rs", 3, "function-size", &words);
    }
}

#[test]
fn a_file_that_no_rule_can_read_is_caught() {
    let mini = Mini::new();
    mini.write("app/src/torn.rs", "//! Torn.\nfn f() {\n");
    let faults = mini.faults();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert_eq!(
        (faults[0].rule, faults[0].path.as_str()),
        ("unreadable", "app/src/torn.rs")
    );
    std::fs::write(mini.path().join("app/src/torn.rs"), b"//! \xFF\n").unwrap();
    mini.expect("app/src/torn.rs", 1, "unreadable", "UTF-8");
}

#[test]
fn a_crate_on_no_shelf_is_caught() {
    let mini = Mini::new();
    let root = mini
        .read("Cargo.toml")
        .replace("\"app\",", "\"app\", \"extras/more\",");
    mini.write("Cargo.toml", &root);
    mini.package("extras/more", "more", &[]);
    mini.write("extras/more/src/lib.rs", "//! More.\n");
    mini.expect("extras/more/Cargo.toml", 1, "layers", "put the crate into");
}

#[test]
fn a_file_without_a_header_is_caught() {
    let mini = Mini::new();
    mini.write("app/src/bare.rs", "pub fn bare() {}\n");
    mini.expect("app/src/bare.rs", 1, "file-header", "//!");
}

#[test]
fn a_mod_rs_is_caught() {
    let mini = Mini::new();
    mini.write("app/src/part/mod.rs", "//! A part.\n");
    mini.expect("app/src/part/mod.rs", 1, "no-mod-rs", "foo.rs");
}

#[test]
fn a_migration_without_its_twin_is_caught() {
    let mini = Mini::new();
    mini.migration("0002_more");
    let folder = "services/links/src/store/migrations";
    std::fs::remove_file(mini.path().join(folder).join("postgres/0002_more.sql")).unwrap();
    mini.expect(
        &format!("{folder}/sqlite/0002_more.sql"),
        1,
        "paired-migrations",
        "postgres/0002_more.sql",
    );
}

#[test]
fn a_gap_in_the_numbers_of_migrations_is_caught() {
    let mini = Mini::new();
    mini.migration("0003_more");
    let faults = mini.faults();
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert!(
        faults
            .iter()
            .all(|fault| fault.advice.contains("should be 0002"))
    );
}

#[test]
fn a_migration_that_no_list_includes_is_caught() {
    let mini = Mini::new();
    let folder = "services/links/src/store/migrations";
    for engine in ["sqlite", "postgres"] {
        mini.write(&format!("{folder}/{engine}/0002_more.sql"), "SELECT 1;\n");
    }
    let faults = mini.faults();
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert!(faults.iter().all(|fault| fault.advice.contains("no list")));
    mini.append(
        "services/links/src/store.rs",
        "const A: &str = include_str!(\"store/migrations/sqlite/0002_more.sql\");\n",
    );
    mini.expect(
        &format!("{folder}/postgres/0002_more.sql"),
        1,
        "paired-migrations",
        "no list",
    );
}

#[test]
fn a_version_outside_the_root_is_caught() {
    let mini = Mini::new();
    mini.append("platform/kernel/Cargo.toml", "moka = \"0.12\"\n");
    mini.append("platform/kernel/src/lib.rs", "fn f() {}\n");
    let faults = mini.faults();
    assert!(
        faults
            .iter()
            .any(|fault| fault.rule == "shared-versions" && fault.line == 10),
        "{faults:#?}"
    );
}

#[test]
fn a_crate_with_its_own_lints_is_caught() {
    let mini = Mini::new();
    let text = mini
        .read("app/Cargo.toml")
        .replace("[lints]\nworkspace = true\n", "");
    mini.write("app/Cargo.toml", &text);
    mini.expect("app/Cargo.toml", 1, "shared-lints", "workspace = true");
}

#[test]
fn a_dependency_that_no_code_names_is_caught_unless_the_manifest_keeps_it() {
    let mini = Mini::new();
    mini.append("services/orders/Cargo.toml", "mesh.workspace = true\n");
    mini.expect(
        "services/orders/Cargo.toml",
        12,
        "unused-dependency",
        "`mesh`",
    );
    mini.append(
        "services/orders/Cargo.toml",
        "[package.metadata.tidy]\nkeep = [\"mesh\"]\n",
    );
    assert_eq!(mini.faults(), []);
}

#[test]
fn a_promise_of_later_work_is_caught() {
    let mini = Mini::new();
    let word = ["TO", "DO"].concat();
    mini.append("README.md", &format!("\n{word}: more\n"));
    mini.expect("README.md", 9, "no-promises", "do it now");
}

#[test]
fn a_path_of_one_machine_is_caught_and_a_url_is_not() {
    let mini = Mini::new();
    let path = ["/ho", "me/me/x"].concat();
    mini.append(LINKS, &format!("// https://example.org{path}\n"));
    assert_eq!(mini.faults(), []);
    mini.append(LINKS, &format!("// {path}\n"));
    mini.expect(LINKS, 5, "no-machine-paths", "relative");
}

#[test]
fn a_dead_link_is_caught() {
    let mini = Mini::new();
    mini.append(
        "README.md",
        "See [more](docs/more.md#part) and [the web](https://example.org).\n",
    );
    mini.expect("README.md", 8, "dead-link", "docs/more.md");
}

#[test]
fn a_documented_command_that_does_not_exist_is_caught() {
    for (line, words) in [
        ("cargo xtask paint", "no chore `paint`"),
        ("cargo test -p moon", "`moon` is no crate"),
        ("cargo run --release -- up --everything", "`--everything`"),
        ("cargo run --release -- fly", "`fly`"),
        ("bench/nothing/run --fast", "no file of the repository"),
    ] {
        let mini = Mini::new();
        mini.append("README.md", &format!("```\n{line}\n```\n"));
        mini.expect("README.md", 9, "documented-command", words);
    }
}

#[test]
fn a_stale_graph_is_caught() {
    let mini = Mini::new();
    assert!(
        mini.read(graph::PATH)
            .contains("orders\n  calls: links\n  publishes: -\n  hears: links.changed\n")
    );
    assert!(
        mini.read(graph::PATH)
            .contains("links\n  calls: -\n  publishes: links.changed\n  hears: -\n")
    );
    mini.write(
        "services/orders/src/lib.rs",
        "//! Orders.\nuse contracts::x; use kernel::y;\n",
    );
    mini.write(
        "app/src/main.rs",
        "//! The program.\nfn main() { links::publish(); orders::hear(); cli(\"up\", \"demo\") }\n",
    );
    mini.expect(graph::PATH, 1, "service-graph", "cargo xtask graph");
    assert!(!graph::check(&mini.load()).unwrap().success);
}

#[test]
fn a_circle_of_calls_is_caught_and_not_written() {
    let mini = Mini::new();
    let contract = mini
        .read("contracts/src/links.rs")
        .replace("Links", "Orders")
        .replace("links", "orders");
    mini.write("contracts/src/orders.rs", &contract);
    mini.append(
        LINKS,
        "use contracts::orders::Orders;\nfn f(orders: &dyn Orders) {}\n",
    );
    let error = graph::write(&mini.load()).unwrap_err().to_string();
    assert!(error.contains("links -> orders -> links"), "{error}");
    let faults = mini.faults();
    assert!(
        faults.iter().any(|fault| fault.advice.contains("circle")),
        "{faults:#?}"
    );
}

#[test]
fn a_service_that_consumes_its_own_topic_hears_it() {
    let mini = Mini::new();
    mini.append(
        LINKS,
        "fn c() -> Consumer { Consumer { name: \"c\", topics: &[TOPIC_CHANGED] } }\n",
    );
    graph::write(&mini.load()).unwrap();
    assert!(
        mini.read(graph::PATH)
            .contains("links\n  calls: -\n  publishes: links.changed\n  hears: links.changed\n")
    );
}

#[test]
fn a_contract_may_be_several_files_and_a_consumer_may_be_made_by_a_function() {
    let mini = Mini::new();
    let contract = mini
        .read("contracts/src/links.rs")
        .replace("pub const TOPIC_CHANGED: &str = \"links.changed\";\n", "");
    mini.write("contracts/src/links.rs", &contract);
    mini.write(
        "contracts/src/links/event.rs",
        "//! Events.\npub const TOPIC_CHANGED: &str = \"links.changed\";\n",
    );
    mini.append(
        LINKS,
        "fn c() -> Consumer { Consumer::group(\"c\", &[TOPIC_CHANGED], f) }\n",
    );
    graph::write(&mini.load()).unwrap();
    assert!(
        mini.read(graph::PATH)
            .contains("links\n  calls: -\n  publishes: links.changed\n  hears: links.changed\n")
    );
}

#[test]
fn a_topic_that_a_service_keeps_to_itself_is_in_the_graph() {
    let mini = Mini::new();
    mini.append(LINKS, "const OWN_TOPIC: &str = \"links.own\";\nfn c() -> Consumer { Consumer::group(\"c\", &[OWN_TOPIC], f) }\n");
    graph::write(&mini.load()).unwrap();
    assert!(
        mini.read(graph::PATH)
            .contains("  publishes: links.changed, links.own\n  hears: links.own\n")
    );
}

#[test]
fn a_shared_dependency_that_no_crate_uses_is_caught() {
    let mini = Mini::new();
    mini.append("Cargo.toml", "moka = \"0.12\"\n");
    mini.expect("Cargo.toml", 17, "unused-dependency", "`moka`");
}
