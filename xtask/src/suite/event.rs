//! What a test binary says of itself: libtest's JSON lines.
//!
//! The format is libtest's `--format json`, which a stable toolchain gives when `RUSTC_BOOTSTRAP` is set at
//! run time. The toolchain is pinned, and a line that is not understood fails the run.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::binary::Binary;

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It passed.
    Passed,
    /// It is marked as ignored.
    Ignored,
    /// It failed, and had printed this.
    Failed(String),
    /// It had begun when its process ended or was ended.
    Cut,
}

/// One test that was run.
#[derive(Debug, Clone)]
pub struct Test {
    /// Its name in its binary.
    pub name: String,
    /// How it ended.
    pub end: End,
    /// How long it took.
    pub took: Duration,
}

/// What came of one binary.
#[derive(Debug)]
pub struct Told {
    /// Which one.
    pub binary: Binary,
    /// Its tests, in the order of their ends.
    pub tests: Vec<Test>,
    /// What went wrong with the process itself, if anything did.
    pub trouble: Option<String>,
    /// What it wrote beside its tests' own output.
    pub beside: String,
    /// How long the process ran.
    pub took: Duration,
}

impl Told {
    /// Reads the lines that `binary` has written.
    #[must_use]
    pub fn read(binary: Binary, lines: &str) -> Self {
        let mut reader = Reader::default();
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            reader.line(line);
        }
        let cut = reader.running.into_iter().map(|name| Test {
            name,
            end: End::Cut,
            took: Duration::ZERO,
        });
        reader.tests.extend(cut);
        let trouble = (!reader.ended).then(|| "it ended before its tests did".to_owned());
        Self {
            binary,
            tests: reader.tests,
            trouble,
            beside: reader.beside,
            took: Duration::ZERO,
        }
    }

    /// Whether every test passed or is ignored, and the process ended well.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.trouble.is_none() && self.failed().next().is_none()
    }

    /// The tests that did not pass.
    pub fn failed(&self) -> impl Iterator<Item = &Test> {
        let bad = |test: &&Test| matches!(test.end, End::Failed(_) | End::Cut);
        self.tests.iter().filter(bad)
    }

    /// How many passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        let good = |test: &&Test| test.end == End::Passed;
        self.tests.iter().filter(good).count()
    }
}

#[derive(Default)]
struct Reader {
    running: BTreeSet<String>,
    tests: Vec<Test>,
    beside: String,
    ended: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        // A test may write past libtest to the standard output, into the middle of its lines.
        let at = line.find("{ \"type\":");
        let event = at.and_then(|at| serde_json::from_str::<Value>(&line[at..]).ok());
        let Some(event) = event else {
            self.beside.push_str(line);
            self.beside.push('\n');
            return;
        };
        let name = event["name"].as_str().unwrap_or_default();
        match (event["type"].as_str(), event["event"].as_str()) {
            (Some("test"), Some("started")) => {
                self.running.insert(name.to_owned());
            }
            (Some("test"), Some(how)) => self.end(name, how, &event),
            (Some("suite"), Some("ok" | "failed")) => self.ended = true,
            _ => {}
        }
    }

    fn end(&mut self, name: &str, how: &str, event: &Value) {
        let end = match how {
            "ok" => End::Passed,
            "ignored" => End::Ignored,
            "failed" => {
                let printed = event["stdout"].as_str().or(event["message"].as_str());
                End::Failed(printed.unwrap_or_default().to_owned())
            }
            // `timeout` says that a test takes long; it goes on.
            _ => return,
        };
        self.running.remove(name);
        self.tests.push(Test {
            name: name.to_owned(),
            end,
            took: Duration::from_secs_f64(event["exec_time"].as_f64().unwrap_or(0.0)),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &str) -> Told {
        let binary = Binary {
            package: "links".to_owned(),
            target: "it".to_owned(),
            path: "it".into(),
            folder: ".".into(),
        };
        Told::read(binary, lines)
    }

    const RUN: &str = r#"{ "type": "suite", "event": "started", "test_count": 3 }
{ "type": "test", "event": "started", "name": "good" }
{ "type": "test", "event": "started", "name": "bad" }
{ "type": "test", "name": "good", "event": "ok", "exec_time": 1.5 }
seed 7{ "type": "test", "name": "bad", "event": "failed", "exec_time": 0.1, "stdout": "left: 1\nright: 2\n" }
{ "type": "test", "name": "never", "event": "ignored" }
"#;
    const END: &str =
        r#"{ "type": "suite", "event": "failed", "passed": 1, "failed": 1, "ignored": 1 }"#;

    #[test]
    fn tests_are_told_with_their_ends() {
        let told = told(&format!("{RUN}{END}\n"));
        assert_eq!((told.passed(), told.tests.len()), (1, 3));
        assert_eq!(told.tests[0].took, Duration::from_millis(1_500));
        let failed: Vec<_> = told.failed().collect();
        assert_eq!(failed[0].end, End::Failed("left: 1\nright: 2\n".to_owned()));
        assert!(!told.is_well() && told.trouble.is_none());
    }

    #[test]
    fn a_binary_that_breaks_off_has_failed_with_the_test_it_was_in() {
        let begun = r#"{ "type": "test", "event": "started", "name": "slow" }"#;
        let told = told(&format!("{RUN}{begun}\nthread panicked\n"));
        assert!(told.trouble.is_some() && !told.is_well());
        assert!(
            told.failed()
                .any(|test| test.name == "slow" && test.end == End::Cut)
        );
        assert_eq!(told.beside, "thread panicked\n");
    }

    #[test]
    fn nothing_at_all_is_no_success() {
        assert!(!told("").is_well());
    }
}
