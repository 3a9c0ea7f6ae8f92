//! Planted faults for the rule that every knob has its price.

use crate::mini::Mini;

const PAGE: &str = "docs/price-list.md";
const KNOBS: &str = "services/links/src/knobs.rs";
const RULE: &str = "knob-price";

fn declare(mini: &Mini, declaration: &str) {
    mini.append(
        KNOBS,
        &format!("fn more(k: Knobs) {{ k.{declaration}; }}\n"),
    );
}

#[test]
fn a_knob_without_a_price_is_caught_with_the_command() {
    for declaration in ["declare(\"ids\", \"x\")", "declare::<Ids>(\"ids\", \"x\")"] {
        let mini = Mini::new();
        declare(&mini, declaration);
        mini.expect(KNOBS, 3, RULE, "lab prices --markdown docs/price-list.md");
    }
}

#[test]
fn a_knob_of_tests_needs_no_price() {
    let mini = Mini::new();
    mini.append(
        KNOBS,
        "#[cfg(test)]\nmod tests { fn f(k: Knobs) { k.declare(\"x\", \"\"); } }\n",
    );
    assert_eq!(mini.faults(), []);
}

#[test]
fn a_knob_whose_name_cannot_be_read_is_caught() {
    let mini = Mini::new();
    declare(&mini, "declare(NAME, \"x\")");
    mini.expect(KNOBS, 3, RULE, "as a literal");
}

#[test]
fn a_price_of_another_service_does_not_count() {
    let mini = Mini::new();
    declare(&mini, "declare(\"ids\", \"x\")");
    mini.append(PAGE, "| [orders.ids](../README.md) | `random` | 1 ms |\n");
    let faults = mini.faults();
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, [PAGE, KNOBS], "{faults:#?}");
}

#[test]
fn a_price_of_a_knob_that_is_gone_is_caught() {
    let mini = Mini::new();
    mini.append(PAGE, "| [links.gone](../README.md) | `x` | 1 ms |\n");
    mini.expect(PAGE, 7, RULE, "no knob `links.gone`");
}

#[test]
fn a_page_that_is_gone_is_caught() {
    let mini = Mini::new();
    std::fs::remove_file(mini.path().join(PAGE)).unwrap();
    mini.expect(KNOBS, 2, RULE, "has no price");
}

#[test]
fn a_new_service_may_wait_for_its_measurement_but_no_other_knob() {
    let mini = Mini::new();
    mini.write(
        "services/orders/src/knobs.rs",
        "//! Choices.\nfn f(k: Knobs) { k.declare(\"order\", \"\"); }\n",
    );
    mini.append(
        PAGE,
        "| [orders.order](../README.md) | not measured yet |\n",
    );
    assert_eq!(mini.faults(), []);
    let said = xtask::tidy::run(&mini.load()).unwrap().text;
    let warning = "docs/price-list.md:7: warning: knob-price: the price of `orders.order`";
    assert!(said.contains(warning), "{said}");

    let mini = Mini::new();
    declare(&mini, "declare(\"ids\", \"x\")");
    mini.append(PAGE, "| [links.ids](../README.md) | not measured yet |\n");
    mini.expect(PAGE, 7, RULE, "not measured yet");
}

#[test]
fn a_crate_of_the_lab_has_its_knobs_priced_by_service() {
    let mini = Mini::new();
    let root = mini
        .read("Cargo.toml")
        .replace("\"app\",", "\"app\", \"lab/stage\",");
    mini.write("Cargo.toml", &root);
    mini.package("lab/stage", "stage", &[]);
    mini.write(
        "lab/stage/src/lib.rs",
        "//! Stage.\nfn f(k: Knobs) { k.declare(\"admission\", \"\"); }\n",
    );
    mini.expect("lab/stage/src/lib.rs", 2, RULE, "`admission` has no price");
    mini.append(
        PAGE,
        "| [stage_back.admission](../README.md) | `fifo` | 1 ms |\n",
    );
    assert_eq!(mini.faults(), []);
}
