//! What cannot be is said in one line, with its place and the nearest that can.

use super::{VARIANTS, small, write};
use crate::program::{answered, command, refused, temporary};

/// The place of the first `words` in `text`, as messages give it.
fn place(text: &str, words: &str) -> String {
    let before = &text[..text.find(words).expect("it is there")];
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
    format!("{line}:{column}")
}

/// That the small experiment with `more` is refused at `at`, with `words`, before anything begins.
fn is_refused(more: &str, at: &str, words: &str) {
    let (_guard, dir) = temporary();
    let text = small(more);
    write(&dir, &text);
    let said = refused(&dir, &["lab", "run", "small.toml"]);
    let start = format!("tradewind: small.toml:{}: ", place(&text, at));
    assert!(said.starts_with(&start), "not at {start}: {said}");
    assert!(said.contains(words), "no {words}: {said}");
    assert!(!dir.join(".tradewind").exists(), "something was begun");
}

#[test]
fn an_unknown_name_is_told_with_its_place_and_the_nearest() {
    let knob = VARIANTS.replace("links.cache", "links.cahce");
    is_refused(&knob, "\"none\" }", "did you mean links.cache");
    let setting = VARIANTS.replace("= \"none\" }", "= \"non\" }");
    is_refused(
        &setting,
        "\"non\" }",
        "'links.cache' cannot be 'non'; it can be aside",
    );
    let fault = "[[weather]]\nat_s = 0\nfault = { ttl_ms = 1";
    for (more, at, words) in [
        ("replicas = { lniks = 3 }", "lniks", "did you mean links?"),
        (
            "[system]\ntopology = 'apart'\nreplicas = { links = 2, lniks = 3 }",
            "lniks",
            "did you mean links?",
        ),
        (
            &format!("{fault}, seam = 'request', effect = 'latncy' }}"),
            "{ ttl_ms",
            "did you mean latency?",
        ),
        (
            &format!("{fault}, seam = 'requets', effect = 'drop' }}"),
            "{ ttl_ms",
            "did you mean request?",
        ),
        (
            "[[probe]]\nkind = 'click'",
            "'click'",
            "did you mean clicks?",
        ),
        ("[wether]\nat_s = 0", "wether", "did you mean weather?"),
    ] {
        is_refused(&format!("{VARIANTS}{more}"), at, words);
    }
}

#[test]
fn a_check_that_cannot_be_or_cannot_fail_is_told_with_its_place() {
    for (check, at, words) in [
        ("clam = 'p99_ms < 9'", "clam", "did you mean claim?"),
        (
            "claim = 'p98_ms < 9'",
            "'p98_ms",
            "did you mean p90_ms or p99_ms",
        ),
        ("claim = 'p99_ms << 9'", "'p99_ms", "METRIC < NUMBER"),
        (
            "claim = 'p99_ms < 2 * nine.p99_ms'",
            "'p99_ms",
            "did you mean none",
        ),
        (
            "claim = 'p99_ms < 2 * none.p9_ms'",
            "'p99_ms",
            "did you mean p90_ms or p99_ms",
        ),
        (
            "of = ['nine']\nclaim = 'p99_ms < 9'",
            "'nine'",
            "did you mean none",
        ),
        ("claim = 'error_percent <= 100'", "'error", "can never fail"),
        (
            "claim = 'clicks_lost > 1'",
            "'clicks",
            "there is no metric 'clicks_lost'",
        ),
        (
            "claim = 'error_percent < 0'\nmust = 'break'",
            "'error",
            "can never fail",
        ),
        (
            "claim = 'p99_ms >= 0 * aside.p99_ms'",
            "'p99_ms",
            "can never fail",
        ),
        (
            "of = ['none']\nclaim = 'p99_ms <= none.p99_ms'",
            "'p99_ms",
            "with itself",
        ),
    ] {
        is_refused(&format!("{VARIANTS}[[check]]\n{check}"), at, words);
    }
}

#[test]
fn an_experiment_that_does_not_exist_is_refused_with_the_nearest() {
    let (_guard, dir) = temporary();
    let said = refused(&dir, &["lab", "run", "cache-policy"]);
    assert!(said.contains("did you mean cache-policies?"), "{said}");
    let said = refused(&dir, &["lab", "run", "missing.toml"]);
    assert!(said.contains("'missing.toml'"), "{said}");
    let said = refused(&dir, &["lab", "self-test", "--seconds", "0.01"]);
    assert!(said.contains("0.1 to 60"), "{said}");
    let said = refused(&dir, &["lab", "run", "cache-stampede", "--predict"]);
    assert!(said.contains("--predict GUESS"), "{said}");
    let said = refused(&dir, &["lab", "run", "cache-stampede", "--predict", "many"]);
    assert!(said.contains("'many' is no number"), "{said}");
}

#[test]
fn a_new_experiment_is_written_once_and_only_here() {
    let (_guard, dir) = temporary();
    let inner = dir.join("inner");
    std::fs::create_dir(&inner).expect("made");
    let made = answered(&inner, &["lab", "new", "mine"]);
    assert_eq!(made["file"], "mine.toml");
    let file = inner.join("mine.toml");
    let text = std::fs::read_to_string(&file).expect("it is there");
    let said = refused(&inner, &["lab", "new", "mine"]);
    assert!(said.contains("is there already"), "{said}");
    for name in [
        "../mine",
        "a/b",
        "Mine",
        "",
        "mine.toml",
        "a\"\ntitle = \"b",
    ] {
        let output = command(&inner).args(["lab", "new", name]).output();
        let output = output.expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
    }
    let here = |dir: &std::path::Path| std::fs::read_dir(dir).expect("is there").count();
    assert_eq!(
        (here(&dir), here(&inner)),
        (1, 1),
        "nothing else was written"
    );
    // It runs as it is; only as long as a test may take.
    let short = text
        .replace("seconds = 5", "seconds = 0.3")
        .replace("blocks = 8", "blocks = 1")
        .replace("warm_up_seconds = 2", "warm_up_seconds = 0.1")
        .replace("claim = \"cpu_us > 1 *", "claim = \"cpu_us > 0.01 *")
        .replace("error_percent <= 1", "error_percent <= 50");
    std::fs::write(&file, short).expect("written");
    let run = answered(&inner, &["lab", "run", "mine.toml"]);
    assert_eq!(run["run"]["experiment"]["id"], "mine");
}
