//! Tests of the price list: what is run for a knob, and what is said of a planted run.

use reports::{Machine, Run, Trial, Variant};

use super::*;
use crate::metrics;

const LOAD: &str = r#"
shows = "redirects"
[load]
rate = 300
[[load.request]]
name = "redirect"
path = "/{code}"
"#;

fn knob() -> Knob {
    Knob {
        name: "links.cache".to_owned(),
        default: "aside".to_owned(),
        settings: ["none", "aside", "write_through"]
            .map(str::to_owned)
            .to_vec(),
    }
}

fn catalogue() -> Catalogue {
    Catalogue {
        knobs: vec![(knob().name, knob().settings)],
        services: vec!["links".to_owned()],
        routes: Vec::new(),
    }
}

fn planned(text: &str) -> Result<PricePlan> {
    plan(&knob(), &[("links.cache", text)], &catalogue())
}

#[test]
fn the_default_comes_first_and_each_setting_once() {
    let plan = planned(LOAD).expect("it is good");
    let variants: Vec<_> = plan.spec.variants().collect();
    let names: Vec<&str> = variants.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["aside", "none", "write_through"]);
    for variant in variants {
        let set = variant.knobs["links.cache"].get_ref();
        assert_eq!(*set, variant.name, "a setting is what it is called");
    }
    assert!(plan.spec.trials.blocks.is_multiple_of(2));
    assert!(plan.spec.quick().trials.blocks.is_multiple_of(2));
}

#[test]
fn a_knob_without_a_load_is_told_which_file_to_write() {
    let error = plan(&knob(), &[], &catalogue()).expect_err("there is no load");
    let text = error.to_string();
    assert!(
        text.contains("write lab/experiments/prices/links.cache.toml"),
        "{text}"
    );
}

#[test]
fn an_unknown_knob_is_refused_with_the_nearest() {
    let named = ["links.cahce".to_owned()];
    let error = price_plans(&[knob()], &named, &catalogue()).expect_err("there is none");
    assert!(error.to_string().contains("links.cache"), "{error}");
}

#[test]
fn a_mistake_in_a_load_is_named_with_its_line() {
    for (good, bad, words) in [
        ("rate = 300", "rat = 300", "did you mean rate?"),
        (
            "[load]",
            "[trials]\nblocks = 3\n[load]",
            "blocks must be even",
        ),
        ("path = \"/{code}\"", "path = \"x\"", "must begin with /"),
    ] {
        let error = planned(&LOAD.replacen(good, bad, 1)).expect_err(bad);
        let text = error.to_string();
        let place = "lab/experiments/prices/links.cache.toml:";
        assert!(text.starts_with(place) && text.contains(words), "{text}");
    }
}

/// Trials in which `none` costs twice the CPU and writes 50 B more, and nothing else differs; p99
/// has no pattern at all.
fn planted(plan: &PricePlan) -> Run {
    let variants = plan.spec.variants().map(|variant| Variant {
        name: variant.name.clone(),
        label: String::new(),
        settings: std::collections::BTreeMap::new(),
        system: 0,
    });
    let mut trials = Vec::new();
    for block in 0..8_u32 {
        for variant in 0..3_usize {
            let step = f64::from((block * 7 + variant as u32 * 3) % 5);
            let wild = [1.0, 9.0, 2.0, 30.0, 4.0][((block * 3 + variant as u32) % 5) as usize];
            let none = if variant == 1 { 1.0 } else { 0.0 };
            let values = [
                ("p50_ms", 1.0 + step / 500.0),
                ("p99_ms", wild),
                ("good_per_s", 300.0),
                ("cpu_us", (100.0 + step / 5.0) * (1.0 + none)),
                ("disk_bytes", 50.0 * none + step / 10.0),
                ("wire_bytes", 0.0),
            ];
            trials.push(Trial {
                variant,
                block,
                started_at: 0,
                elapsed_s: 1.0,
                values: values.map(|(name, value)| (name.to_owned(), value)).into(),
                latency: Vec::new(),
                seconds: Vec::new(),
                marks: Vec::new(),
                limited: None,
            });
        }
    }
    let known = metrics::of(&plan.spec).into_iter();
    Run {
        format: 1,
        id: "x".to_owned(),
        experiment: crate::machine::experiment(&plan.spec),
        started_at: 7,
        elapsed_s: 30.0,
        quick: true,
        seed: 1,
        version: "0.1.0".to_owned(),
        ended_early: false,
        machine: Machine {
            cores: 2,
            cpu: "a | cpu".to_owned(),
            os: "Linux".to_owned(),
            memory_mib: 4096,
        },
        systems: Vec::new(),
        metrics: known.map(|known| known.metric).collect(),
        variants: variants.collect(),
        trials,
        derived: Vec::new(),
        checks: Vec::new(),
        guess: None,
        notes: Vec::new(),
    }
}

fn list() -> PriceList {
    let plan = planned(LOAD).expect("it is good");
    let run = planted(&plan);
    PriceList::of(vec![(plan, run)]).expect("there is a run")
}

#[test]
fn the_list_says_what_was_planted_and_claims_nothing_else() {
    let page = list().to_markdown("docs/price-list.md");
    let row = |value: &str| {
        let start =
            format!("| [links.cache](../services/links/README.md#design-choices) | `{value}` |");
        let line = page.lines().find(|line| line.starts_with(&start));
        line.unwrap_or_else(|| panic!("no row of {value}: {page}"))
            .to_owned()
    };
    assert!(row("aside").contains("| 300 1/s |"), "{}", row("aside"));
    let none = row("none");
    assert!(none.contains("| **x2.00** ("), "twice the CPU: {none}");
    assert!(none.contains("| **+50"), "more to the disk: {none}");
    assert_eq!(none.matches("**").count(), 4, "two claims: {none}");
    let other = row("write_through");
    assert!(!other.contains("**"), "nothing is claimed: {other}");
    assert!(other.contains("no difference seen"), "{other}");
    assert!(other.contains("too noisy to tell"), "{other}");
}

#[test]
fn the_page_says_how_it_was_made_and_that_it_is_the_quick_form() {
    let page = list().to_markdown("docs/price-list.md");
    let build = if cfg!(debug_assertions) {
        ""
    } else {
        " --release"
    };
    let command = format!("cargo run{build} -- lab prices --quick --markdown docs/price-list.md");
    assert_eq!(
        page.matches(&command).count(),
        2,
        "comment and command: {page}"
    );
    assert!(page.contains("This is the quick form"), "{page}");
    assert!(
        page.contains("| `links.cache` | redirects | 300/s | redirect |"),
        "{page}"
    );
}

#[test]
fn the_terminal_shows_each_setting_and_metric_once() {
    let rows = list().rows();
    assert_eq!(rows.len(), 1 + 3 * 6, "heading, settings times metrics");
    assert_eq!(rows[1][0], "links.cache");
    assert_eq!(rows[7][1], "none");
    let cpu = rows[7..13].iter().find(|row| row[2] == "CPU per request");
    let cpu = cpu.expect("there is a row of the CPU");
    assert_eq!((cpu[3].as_str(), cpu[5].as_str()), ("x2.00", "worse"));
}

#[test]
fn a_row_without_a_price_is_named() {
    assert_eq!(list().missing(), [""; 0]);
    let plan = planned(LOAD).expect("it is good");
    let with = |change: &dyn Fn(&mut Trial)| {
        let mut run = planted(&plan);
        run.trials.iter_mut().for_each(change);
        let list = PriceList::of(vec![(plan.clone(), run)]).expect("there is a run");
        list.missing()
    };
    let gone = with(&|trial| {
        if trial.variant == 2 {
            trial.values.remove("p99_ms");
        }
    });
    assert_eq!(gone, ["links.cache = write_through: p99"]);
    // Two pairs are not compared.
    let few = with(&|trial| {
        if trial.variant == 1 && trial.block > 1 {
            trial.values.remove("cpu_us");
        }
    });
    assert_eq!(few, ["links.cache = none: CPU per request"]);
}

#[test]
fn nothing_measured_is_no_list() {
    assert!(PriceList::of(Vec::new()).is_none());
}
