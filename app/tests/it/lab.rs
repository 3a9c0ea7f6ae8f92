//! `tradewind lab` as people and scripts use it, with experiments of a second or two.

mod ended;
mod mistakes;
mod proofs;
mod runs;
mod target;
mod weather;

use std::path::Path;
use std::process::Output;

use reports::{Run, Trial};
use serde_json::Value;

use crate::program::{answered, command, refused, temporary};

/// Two variants that differ in a knob.
const VARIANTS: &str = r#"
[[variant]]
name = "aside"
[[variant]]
name = "none"
knobs = { "links.cache" = "none" }
"#;

/// A small experiment with `more` of what it needs, variants among them.
fn small(more: &str) -> String {
    format!(
        r#"
id = "small"
title = "Small"
question = "Does it run?"
phase = 3
why = "why it matters"
lesson = "what it means"
[data]
links = 20
[load]
rate = 50
connections = 4
[[load.request]]
name = "redirect"
path = "/{{code}}"
[trials]
seconds = 0.4
blocks = 1
warm_up_seconds = 0.1
{more}"#
    )
}

fn write(dir: &Path, text: &str) {
    std::fs::write(dir.join("small.toml"), text).expect("written");
}

/// What `lab run small.toml` comes to.
fn output(dir: &Path, flags: &[&str]) -> Output {
    let mut command = command(dir);
    let command = command.args(["lab", "run", "small.toml", "--json"]);
    command.args(flags).output().expect("the program runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs the experiment `text` to its end, with exit code 0, and reads what it has said.
fn run(dir: &Path, text: &str, flags: &[&str]) -> Run {
    write(dir, text);
    let output = output(dir, flags);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    told(&output)
}

/// The run that standard output tells of.
fn told(output: &Output) -> Run {
    let whole: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    serde_json::from_value(whole["run"].clone()).expect("a run")
}

/// The runs that are kept in `dir`, oldest first.
fn kept(dir: &Path) -> Vec<Run> {
    let shelf = std::fs::read_dir(dir.join(".tradewind/lab")).expect("runs are kept");
    let mut runs: Vec<Run> = shelf
        .map(|entry| {
            let file = entry.expect("an entry").path().join("run.json");
            let text = std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            serde_json::from_slice(&text).expect("a run")
        })
        .collect();
    runs.sort_by(|a, b| a.id.cmp(&b.id));
    runs
}

/// The trials of the variant `name`.
fn trials<'a>(run: &'a Run, name: &str) -> Vec<&'a Trial> {
    let of = |trial: &&Trial| run.variants[trial.variant].name == name;
    run.trials.iter().filter(of).collect()
}

#[test]
fn what_comes_with_the_program_is_listed_and_shown() {
    let (_guard, dir) = temporary();
    let all = answered(&dir, &["lab", "list"]);
    let all = all["experiments"].as_array().expect("a list");
    assert!(all.len() >= 10, "{all:?}");
    for experiment in all {
        let id = experiment["id"].as_str().expect("an id");
        assert!(
            experiment["question"]
                .as_str()
                .is_some_and(|q| !q.is_empty())
        );
        let shown = answered(&dir, &["lab", "show", id]);
        let text = shown["text"].as_str().expect("its file");
        assert!(text.contains(&format!("id = \"{id}\"")), "{text}");
    }
    let said = refused(&dir, &["lab", "show", "cache-stampeed"]);
    assert!(said.contains("did you mean cache-stampede?"), "{said}");
}
