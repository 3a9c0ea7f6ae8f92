//! Log lines for machines: one JSON object each, whichever process wrote it.

use std::fs::File;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use testkit::{Client, TempDir};

use crate::program::Program;
use crate::sandbox::soon;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_json_every_line_is_an_object_with_its_time_level_target_and_message() {
    let dir = TempDir::new().expect("a temporary directory");
    let file = dir.path().join("stderr");
    let args = ["--apart", "--replicas", "links=2"].map(str::to_owned);
    let env = [("FORMAT", "json"), ("LEVEL", "debug")]
        .map(|(key, value)| (format!("TRADEWIND__LOG__{key}"), value.to_owned()));
    let log = File::create(&file).expect("a file");
    let mut program = Program::up_saying(dir.path(), &args, &env, log);
    let client = Client::new(program.url("gateway"));
    assert_eq!(client.get("/nothing").await.expect("answers").status, 404);
    let child = program.children()[0];
    let pid = Pid::from_raw(i32::try_from(child).expect("a process id"));
    kill(pid, Signal::SIGKILL).expect("killed");
    says(&file, "was killed by SIGKILL").await;
    // Without a supervisor each child says that it stops, and does.
    program.signal(Signal::SIGKILL);
    assert!(!program.wait().success());
    says(&file, "the supervisor is gone").await;
    for line in lines(&file) {
        let text = |field: &str| line[field].as_str().unwrap_or_default();
        let levels = ["ERROR", "WARN", "INFO", "DEBUG"];
        assert!(levels.contains(&text("level")), "{line}");
        let at: Result<contracts::links::Moment, _> = text("timestamp").parse();
        assert!(at.is_ok(), "{line}");
        assert!(!text("target").is_empty(), "{line}");
        assert!(!text("message").is_empty(), "{line}");
    }
}

/// Waits for a line with this message.
async fn says(file: &Path, message: &str) {
    let is_it = |line: &Value| {
        let said = line["message"].as_str();
        said.is_some_and(|said| said.contains(message))
    };
    soon(message, async || lines(file).iter().any(is_it)).await;
}

/// The whole lines of a file, each of which must be an object.
fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).expect("text");
    let whole = text.split_inclusive('\n').filter(|l| l.ends_with('\n'));
    let object = |line: &str| -> Value {
        let value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(matches!(value, Value::Object(_)), "{line}");
        value
    };
    whole.map(object).collect()
}
