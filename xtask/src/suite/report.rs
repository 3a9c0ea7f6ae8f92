//! What a run of the tests shows: a line for each binary, each failure with what it printed, the sums.

use std::fmt::Write as _;

use super::event::{End, Test, Told};

/// So many lines of what a failed test printed are shown; the last ones tell most.
const LINES_MAX: usize = 40;

/// The line of a binary that ran tests: how many passed and failed, and how long it took.
#[must_use]
pub fn line(told: &Told) -> Option<String> {
    let (passed, failed) = (told.passed(), told.failed().count());
    let trouble = told
        .trouble
        .as_ref()
        .map_or_else(String::new, |why| format!(": {why}"));
    let took = told.took.as_secs_f64();
    (!told.tests.is_empty() || told.trouble.is_some()).then(|| {
        format!(
            "{:<22} {passed:>4} passed, {failed} failed in {took:>6.1} s{trouble}",
            told.binary.label()
        )
    })
}

/// The slowest tests, the slowest first.
#[must_use]
pub fn slowest(told: &[Told], count: usize) -> String {
    let mut tests: Vec<(&Told, &Test)> = told
        .iter()
        .flat_map(|told| told.tests.iter().map(move |test| (told, test)))
        .collect();
    tests.sort_by_key(|(_, test)| std::cmp::Reverse(test.took));
    let mut text = String::new();
    for (told, test) in tests.into_iter().take(count) {
        let took = test.took.as_secs_f64();
        let _ = writeln!(text, "{took:>7.1} s  {} {}", told.binary.label(), test.name);
    }
    text
}

/// Everything that has to be said at the end.
#[must_use]
pub fn whole(told: &[Told]) -> String {
    let mut text = skipped(told);
    for each in told {
        for test in each.failed() {
            text.push_str(&failure(each, test));
        }
        if let Some(trouble) = &each.trouble {
            let _ = writeln!(
                text,
                "\n---- {}: {trouble} ----\n{}",
                each.binary.label(),
                tail(&each.beside)
            );
        }
    }
    let (passed, ignored) = (sum(told, Told::passed), sum(told, ignored));
    let failed = sum(told, |told| told.failed().count());
    // Alone on its line: others count tests by it.
    let _ = writeln!(
        text,
        "\n{ignored} ignored\n{passed} passed, {failed} failed"
    );
    text
}

/// Whether everything is well, and something was run.
#[must_use]
pub fn is_well(told: &[Told]) -> bool {
    sum(told, Told::passed) > 0 && told.iter().all(Told::is_well)
}

/// One test that did not pass: where, what it printed, and how to run it again.
#[must_use]
pub fn failure(told: &Told, test: &Test) -> String {
    let printed = match &test.end {
        End::Failed(printed) => tail(printed),
        _ => format!(
            "it had begun when its process ended\n{}",
            tail(&told.beside)
        ),
    };
    let (label, name) = (told.binary.label(), &test.name);
    format!("\n---- {label} {name} ----\n{printed}again: cargo xtask test {name}\n")
}

/// The last lines of a text.
#[must_use]
pub fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(LINES_MAX);
    lines[from..].iter().flat_map(|line| [line, "\n"]).collect()
}

/// What tests say that could not run here, each reason once.
fn skipped(told: &[Told]) -> String {
    let lines = told.iter().flat_map(|told| told.beside.lines());
    let mut said: Vec<&str> = lines.filter(|line| line.starts_with("skipped: ")).collect();
    said.sort_unstable();
    let all = said.clone();
    said.dedup();
    said.iter()
        .map(|reason| {
            let times = all.iter().filter(|line| line == &reason).count();
            format!("{reason} ({times} tests)\n")
        })
        .collect()
}

fn ignored(told: &Told) -> usize {
    told.tests
        .iter()
        .filter(|test| test.end == End::Ignored)
        .count()
}

fn sum(told: &[Told], of: impl Fn(&Told) -> usize) -> usize {
    told.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::suite::binary::Binary;

    fn told(end: End, trouble: Option<&str>) -> Told {
        let binary = Binary {
            package: "links".to_owned(),
            target: "it".to_owned(),
            path: "it".into(),
            folder: ".".into(),
        };
        let test = |name: &str, end, took| Test {
            name: name.to_owned(),
            end,
            took: Duration::from_secs(took),
        };
        Told {
            binary,
            tests: vec![test("first", End::Passed, 3), test("second", end, 5)],
            trouble: trouble.map(str::to_owned),
            beside: "skipped: Redis is missing; install it\n".to_owned(),
            took: Duration::from_secs(8),
        }
    }

    #[test]
    fn a_failure_is_shown_with_its_last_lines_and_how_to_repeat_it() {
        let long: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let text = whole(&[told(End::Failed(long), None)]);
        assert!(
            text.contains("---- links it second ----\nline 60\n"),
            "{text}"
        );
        assert!(text.contains("again: cargo xtask test second\n"), "{text}");
        assert!(text.ends_with("\n1 passed, 1 failed\n"), "{text}");
        assert!(
            text.contains("skipped: Redis is missing; install it (1 tests)\n"),
            "{text}"
        );
    }

    #[test]
    fn a_run_is_well_only_if_everything_is() {
        assert!(is_well(&[told(End::Passed, None)]));
        assert!(is_well(&[told(End::Ignored, None)]));
        assert!(!is_well(&[told(End::Failed(String::new()), None)]));
        assert!(!is_well(&[told(End::Cut, None)]));
        assert!(!is_well(&[told(End::Passed, Some("it hung"))]));
        assert!(!is_well(&[]));
    }

    #[test]
    fn the_slowest_come_first() {
        let text = slowest(&[told(End::Passed, None)], 1);
        assert_eq!(text, "    5.0 s  links it second\n");
    }
}
