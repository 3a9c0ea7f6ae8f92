//! Who may know whom, and what a domain module may reach for.

use xtask::graph;

use crate::mini::Mini;

const LINKS: &str = "services/links/src/lib.rs";

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
        mini.expect(
            "lab/load/Cargo.toml",
            11,
            "layers",
            "knows kernel and faults only",
        );
    }
}

#[test]
fn a_system_of_the_lab_may_stand_on_platform_and_on_nothing_else() {
    for system in ["stage", "twins"] {
        let with_system = || {
            let mini = Mini::new();
            with_lab(&mini);
            let path = format!("{system} = {{ path = \"lab/{system}\" }}\nload = {{");
            let root = mini.read("Cargo.toml").replacen("load = {", &path, 1);
            mini.write("Cargo.toml", &root);
            mini.package(&format!("lab/{system}"), system, &["kernel", "mesh"]);
            let code = "//! A system.\nuse kernel::x;\nuse mesh::y;\n";
            mini.write(&format!("lab/{system}/src/lib.rs"), code);
            mini
        };
        assert_eq!(with_system().faults(), []);
        for name in ["links", "contracts", "load"] {
            let mini = with_system();
            let manifest = format!("lab/{system}/Cargo.toml");
            mini.append(&manifest, &format!("{name}.workspace = true\n"));
            mini.append(
                &format!("lab/{system}/src/lib.rs"),
                &format!("use {name}::x;\n"),
            );
            mini.expect(&manifest, 12, "layers", "stands on platform only");
        }
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
        graph::write(&mini.load()).unwrap();
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
    graph::write(&mini.load()).unwrap();
    mini.expect(
        "services/links/src/domain.rs",
        2,
        "pure-domain",
        "super::store",
    );
}
