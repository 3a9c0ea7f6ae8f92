//! `build-cost` on a page of timings that is there already.

use xtask::build_cost;

use crate::mini::Mini;

/// As cargo writes it: one foreign crate, and two of ours with three units.
const PAGE: &str = r#"<script>
const UNIT_DATA = [
  {"i": 0, "name": "tokio", "version": "1.54.1", "target": "", "start": 0.5, "duration": 10.0},
  {"i": 1, "name": "contracts", "version": "0.1.0", "target": "", "start": 10.5, "duration": 0.5},
  {"i": 2, "name": "links", "version": "0.1.0", "target": "", "start": 11.0, "duration": 0.25},
  {"i": 3, "name": "links", "version": "0.1.0", "target": " it \"test\"", "start": 11.25, "duration": 0.5}
];
const CONCURRENCY_DATA = [];
</script>"#;

fn tell(mini: &Mini, options: &[&str]) -> xtask::Outcome {
    mini.write("page.html", PAGE);
    let page = mini.path().join("page.html");
    let from = ["--from", page.to_str().expect("a path")];
    build_cost::run(mini.path(), &[options, &from].concat()).expect("a report")
}

#[test]
fn a_crate_costs_all_of_its_units_for_the_lines_of_its_sources() {
    let mini = Mini::new();
    mini.write(
        "services/links/tests/it.rs",
        &"//! Not counted.\n".repeat(99),
    );
    let lines = |path: &str| mini.read(path).lines().count();
    let links = ["lib.rs", "knobs.rs", "domain.rs", "store.rs"];
    let links: usize = links
        .iter()
        .map(|name| lines(&format!("services/links/src/{name}")))
        .sum();
    let told = tell(&mini, &["--tests", "--markdown"]);
    let row = format!("| links | {links} | 0.8 | {:.1} |", 750.0 / links as f64);
    assert!(told.text.contains(&row), "{row}\n{}", told.text);
    assert!(
        told.text.contains("| other people's |  | 10.0 |  |"),
        "{}",
        told.text
    );
    assert!(
        told.text.contains("| from start to end |  | 11.8 |  |"),
        "{}",
        told.text
    );
    assert!(told.success, "the tests have no limit");
}

#[test]
fn a_release_that_would_take_too_long_with_all_services_fails() {
    let mini = Mini::new();
    let told = tell(&mini, &["--release"]);
    // These few lines are dear: 6,000 of them would take minutes for each service.
    assert!(
        told.text.contains("seconds now: 11.8, at most 210: holds"),
        "{}",
        told.text
    );
    assert!(told.text.contains(", at most 480: MISSED"), "{}", told.text);
    assert!(!told.success);
    // The same time for a thousand lines is within the limit.
    for path in ["services/links/src/domain.rs", "contracts/src/links.rs"] {
        mini.append(path, &"// A line.\n".repeat(1_000));
    }
    let told = tell(&mini, &["--release"]);
    assert!(told.success, "{}", told.text);
}
