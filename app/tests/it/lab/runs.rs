//! Runs from beginning to end: what is recorded, kept, told, and judged.

use serde_json::Value;

use super::{VARIANTS, kept, output, run, said, small, told, write};
use crate::program::{answered, command, refused, temporary};

/// What every run measures.
const ALWAYS: &[&str] = &[
    "good_per_s",
    "p50_ms",
    "p90_ms",
    "p99_ms",
    "error_percent",
    "cpu_us",
    "memory_mib",
    "disk_bytes",
    "wire_bytes",
];

#[test]
fn a_run_is_recorded_kept_and_told_in_every_form() {
    let (_guard, dir) = temporary();
    let check = "[[check]]\nclaim = 'p50_ms < 5000'\n";
    let text = small(&format!("{VARIANTS}{check}")).replace("blocks = 1", "blocks = 2");
    let files = ["--html", "out.html", "--markdown", "out.md", "--seed", "7"];
    let first = run(&dir, &text, &files);
    let order: Vec<usize> = first.trials.iter().map(|trial| trial.variant).collect();
    assert_eq!(order, [0, 1, 1, 0], "there and back");
    let blocks: Vec<u32> = first.trials.iter().map(|trial| trial.block).collect();
    assert_eq!(blocks, [0, 0, 1, 1]);
    for trial in &first.trials {
        for metric in ALWAYS {
            assert!(
                trial.values.contains_key(*metric),
                "no {metric}: {:?}",
                trial.values
            );
        }
        assert!(trial.values["good_per_s"] > 0.0 && trial.values["cpu_us"] > 0.0);
        assert!(trial.values["memory_mib"] > 1.0 && !trial.latency.is_empty());
    }
    assert_eq!(first.checks.len(), 2, "for each variant");
    assert!(first.checks.iter().all(reports::CheckOutcome::passed));
    assert!(!first.ended_early && first.seed == 7 && first.systems.len() == 1);
    assert_eq!(kept(&dir), std::slice::from_ref(&first));
    let page = dir
        .join(".tradewind/lab")
        .join(&first.id)
        .join("report.html");
    let page = std::fs::read_to_string(page).expect("its page");
    assert!(page.contains("Does it run?") && page.contains("</html>"));
    assert_eq!(
        std::fs::read_to_string(dir.join("out.html")).expect("is there"),
        page
    );
    let markdown = std::fs::read_to_string(dir.join("out.md")).expect("is there");
    assert!(markdown.contains("Does it run?"), "{markdown}");
    // The same seed, the same arrivals.
    let second = run(&dir, &text, &["--seed", "7"]);
    let due = |run: &reports::Run| -> Vec<u64> {
        let of = |trial: &reports::Trial| trial.seconds.iter().map(|s| s.due).sum();
        run.trials.iter().map(of).collect()
    };
    assert_eq!(due(&first), due(&second));
    assert!(due(&first).iter().all(|due| *due > 0));
    compared(&dir, &first.id, &second.id);
}

fn compared(dir: &std::path::Path, before: &str, after: &str) {
    let both = answered(dir, &["lab", "compare", before, after]);
    assert!(both.to_string().contains("p99_ms"), "{both}");
    let file = format!(".tradewind/lab/{after}/run.json");
    assert_eq!(answered(dir, &["lab", "compare", before, &file]), both);
    let said = refused(dir, &["lab", "compare", before, &format!("{after}x")]);
    assert!(said.contains(&format!("did you mean {after}")), "{said}");
    std::fs::write(dir.join("bad.json"), "{}").expect("written");
    let said = refused(dir, &["lab", "compare", before, "bad.json"]);
    assert!(said.contains("bad.json"), "{said}");
}

#[test]
fn a_check_that_does_not_come_true_is_told_and_fails_the_run() {
    let (_guard, dir) = temporary();
    let cases = [
        "claim = 'p50_ms <= 0.000001'",
        "claim = 'error_percent >= 99'",
        "claim = 'error_percent <= 99'\nmust = 'break'",
        "of = ['none']\nclaim = 'good_per_s > 1000 * aside.good_per_s'",
    ];
    let checks: Vec<String> = cases
        .iter()
        .map(|case| format!("[[check]]\n{case}\n"))
        .collect();
    write(&dir, &small(&format!("{VARIANTS}{}", checks.concat())));
    let output = output(&dir, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let run = told(&output);
    assert_eq!(run.checks.len(), 7);
    for check in &run.checks {
        assert!(check.seen.is_some() && !check.passed(), "{check:?}");
        assert!(check.detail.contains(" is "), "{check:?}");
    }
    assert_eq!(kept(&dir), [run]);
}

#[test]
fn a_variant_with_a_topology_of_its_own_has_a_system_of_its_own() {
    let (_guard, dir) = temporary();
    let variants = "[[variant]]\nname = 'together'\n[[variant]]\nname = 'strict'\n\
                    topology = 'strict'\n";
    let derive = "[[derive]]\nlabel = 'codecs'\nformula = 'strict.cpu_us - together.cpu_us'\n";
    let run = run(&dir, &small(&format!("{variants}{derive}")), &[]);
    let systems: Vec<&str> = run.systems.iter().map(|s| s.topology.as_str()).collect();
    assert_eq!(systems, ["together", "strict"]);
    assert_eq!(run.derived[0].values.len(), 1);
    assert_eq!((run.variants[0].system, run.variants[1].system), (0, 1));
}

#[test]
fn the_self_test_prints_a_rate() {
    let (_guard, dir) = temporary();
    let flags = [
        "lab",
        "self-test",
        "--experiments",
        "1",
        "--seconds",
        "0.1",
        "--json",
    ];
    let output = command(&dir)
        .args(flags)
        .output()
        .expect("the program runs");
    let said = said(&output);
    let test: Value = serde_json::from_slice(&output.stdout).expect(&said);
    // One experiment proves nothing: whether it alarms by chance says nothing of the rate itself.
    let outcome = test["outcome"].as_str().expect("an outcome");
    assert!(["held", "unclear"].contains(&outcome), "{test}");
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(trials_are_gone(&dir), "the private system is removed");
}

#[test]
fn the_simulated_self_test_is_the_same_each_time_and_starts_nothing() {
    let (_guard, dir) = temporary();
    let drawn = ["lab", "self-test", "--simulated", "--experiments", "50"];
    let first = answered(&dir, &drawn);
    assert_eq!(first["equal"]["outcome"], "held", "{first}");
    assert_eq!(first["different"]["experiments"]["hits"], 50, "{first}");
    assert_eq!(answered(&dir, &drawn), first);
    let other = answered(&dir, &[&drawn[..], &["--seed", "2"]].concat());
    assert_ne!(other, first);
    assert!(!dir.join(".tradewind").exists(), "nothing was begun");
}

fn trials_are_gone(dir: &std::path::Path) -> bool {
    let shelf = std::fs::read_dir(dir.join(".tradewind/lab"));
    shelf.map_or(0, Iterator::count) == 0
}
