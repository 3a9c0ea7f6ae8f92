//! `tradewind lab prove`: what is proven, and what each missing part of a proof is called.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::{VARIANTS, kept, said, small, write};
use crate::program::{answered, command, temporary};

const CHECKS: &str = "[[check]]\nclaim = 'p50_ms < 5000'\n\
                      [[check]]\nof = ['none']\nclaim = 'good_per_s > 1000 * aside.good_per_s'\n";

fn prove(dir: &Path, text: &str) -> Output {
    write(dir, text);
    let mut command = command(dir);
    let command = command.args(["lab", "prove", "small.toml", "--json"]);
    command.output().expect("the program runs")
}

/// Why `text` is not proven: the last line, and what is missing.
fn unproven(text: &str) -> (String, Value) {
    let (_guard, dir) = temporary();
    let output = prove(&dir, text);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let [run] = &kept(&dir)[..] else {
        panic!("it is kept for whoever looks for the reason");
    };
    assert_eq!(told["run"], run.id.as_str(), "{told}");
    assert!(run.notes[0].contains("The proof form"), "{:?}", run.notes);
    let last = said.lines().last().expect("a reason").to_owned();
    (last, told["faults"].clone())
}

#[test]
fn an_experiment_is_proven_whatever_its_checks_find_and_nothing_is_kept() {
    let (_guard, dir) = temporary();
    let output = prove(&dir, &small(&format!("{VARIANTS}{CHECKS}")));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let seen = told["checks"].as_array().expect("a list").iter();
    let seen: Vec<_> = seen.map(|check| check["as_expected"].as_bool()).collect();
    assert_eq!(seen, [Some(true), Some(true), Some(false)], "{told}");
    assert_eq!(told["faults"], Value::Array(Vec::new()));
    let left = std::fs::read_dir(dir.join(".tradewind/lab")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "neither a run nor a system");
}

#[test]
fn a_variant_that_answers_nothing_is_named() {
    let text = small(&format!("{VARIANTS}{CHECKS}")).replace("/{code}", "/api/nothing");
    let (last, faults) = unproven(&text);
    let told = ["aside gave no good answer", "none gave no good answer"];
    assert_eq!(faults, serde_json::json!(told));
    assert!(
        last.contains(told[0]) && last.contains("is not proven"),
        "{last}"
    );
}

#[test]
fn a_check_that_cannot_fail_is_named() {
    let check = "[[check]]\nof = ['none']\nclaim = 'good_per_s < 1e30'\n";
    let (last, faults) = unproven(&small(&format!("{VARIANTS}{CHECKS}{check}")));
    let told = "the check 'good_per_s < 1e30' cannot fail in none";
    assert_eq!(faults, serde_json::json!([told]));
    assert!(last.contains(told), "{last}");
}

#[test]
fn a_check_that_is_not_measured_is_named() {
    // No link expires here, so that there is nothing to take a share of.
    let measure = "[[measure]]\nname = 'share'\nunit = '%'\ncounter = ['links_store_reads_total']\n\
                   per = ['links_visits_total{outcome=\"expired\"}']\n\
                   [[check]]\nof = ['none']\nclaim = 'share <= 50'\n";
    let (last, _) = unproven(&small(&format!("{VARIANTS}{measure}")));
    assert!(last.contains("share was not measured in aside"), "{last}");
    let told = "the check 'share <= 50' was not measured in none";
    assert!(last.contains(told), "{last}");
}

#[test]
fn each_experiment_and_price_says_what_it_is_about_and_how_long_its_proof_takes() {
    let (_guard, dir) = temporary();
    let all = answered(&dir, &["lab", "list"]);
    let services = |kind: &str, id: &str| {
        let mut each = all[kind].as_array().expect("a list").iter();
        let found = each.find(|each| each["id"] == id);
        found.unwrap_or_else(|| panic!("no {id}"))["services"].clone()
    };
    for (kind, id, wanted) in [
        ("experiments", "cache-stampede", &["links"][..]),
        ("experiments", "balancers", &["gateway", "links"]),
        ("experiments", "retry-storm", &["stage"]),
        ("experiments", "outbox-or-dual-write", &["twins"]),
        ("prices", "stage_back.admission", &["stage"]),
        ("prices", "gateway.retries", &["gateway", "links"]),
    ] {
        assert_eq!(services(kind, id), serde_json::json!(wanted), "{id}");
    }
    for kind in ["experiments", "prices"] {
        for each in all[kind].as_array().expect("a list") {
            let takes = each["proof_s"].as_f64().expect("a number");
            assert!((0.5..=25.0).contains(&takes), "{each}");
            let of = each["services"].as_array().expect("a list");
            assert!(!of.is_empty(), "{each}");
        }
    }
}
