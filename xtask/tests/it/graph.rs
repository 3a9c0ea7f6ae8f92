//! The graph of calls and events: up to date, and without a circle.

use xtask::graph;

use crate::mini::Mini;

const LINKS: &str = "services/links/src/lib.rs";

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
