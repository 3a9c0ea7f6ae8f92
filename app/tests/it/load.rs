//! `tradewind load` as people and scripts use it, against servers of the test's own.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::program::{answered, command, refused, run, temporary};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
/// Longer than any machine takes to count a few requests.
const SEEN_WITHIN: Duration = Duration::from_secs(60);

/// A server that answers every request of any connection, and counts them.
fn server() -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("is bound");
    let seen = Arc::new(AtomicU64::new(0));
    let seeing = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let seeing = Arc::clone(&seeing);
            std::thread::spawn(move || serve(stream, &seeing));
        }
    });
    (address, seen)
}

fn serve(mut stream: TcpStream, seen: &AtomicU64) {
    let (mut text, mut buffer) = (Vec::new(), [0; 4_096]);
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        text.extend_from_slice(&buffer[..length]);
        while let Some(end) = text.windows(4).position(|part| part == b"\r\n\r\n") {
            text.drain(..end + 4);
            seen.fetch_add(1, Ordering::SeqCst);
            if stream.write_all(ANSWER).is_err() {
                return;
            }
        }
    }
}

#[test]
fn a_server_is_loaded_and_the_counts_are_its_own() {
    let (_guard, dir) = temporary();
    let (address, seen) = server();
    let url = format!("http://{address}/hello");
    let load = [
        "load",
        &url,
        "--rate",
        "500",
        "--requests",
        "200",
        "--connections",
        "4",
    ];
    let report = answered(&dir, &load);
    assert_eq!(report["answered"], 200);
    assert_eq!(report["statuses"]["2xx"], 200);
    assert_eq!(report["bytes_received"], 400);
    assert_eq!(seen.load(Ordering::SeqCst), 200);
    let text = String::from_utf8(run(&dir, &load).stdout).expect("text");
    for word in [
        "scheduled",
        "answered",
        "latency",
        "service time",
        "p99.9",
        &url,
    ] {
        assert!(text.contains(word), "{word} is missing:\n{text}");
    }
}

#[test]
fn every_flag_reaches_the_plan() {
    let (_guard, dir) = temporary();
    let (address, seen) = server();
    let targets: String = (0..10)
        .map(|key| format!("http://{address}/{key}\n"))
        .collect();
    std::fs::write(dir.join("targets"), format!("# ten\n\n{targets}")).expect("written");
    let report = answered(
        &dir,
        &[
            "load",
            "--targets",
            "targets",
            "--zipf",
            "1.1",
            "--poisson",
            "--seed",
            "7",
            "--steps",
            "100,300",
            "--step-seconds",
            "1",
            "--spike",
            "500@0.5+0.5",
            "--timeout",
            "30s",
            "--queue",
            "5000",
            "-c",
            "3",
            "-m",
            "GET",
            "-H",
            "x-one: 1",
        ],
    );
    let setting = &report["setting"];
    assert_eq!(
        (&setting["targets"], &setting["seed"]),
        (&10.into(), &7.into())
    );
    assert_eq!(setting["popularity"]["zipf"]["exponent"], 1.1);
    assert_eq!(
        (&setting["arrivals"], &setting["queue"]),
        (&"poisson".into(), &5_000.into())
    );
    assert_eq!(
        (&setting["timeout_ms"], &setting["connections"]),
        (&30_000.into(), &3.into())
    );
    // 100/s for half a second, 500/s for half a second, 300/s for a second: 600, within four
    // standard deviations.
    let scheduled = report["scheduled"].as_u64().expect("a number");
    assert!((502..=698).contains(&scheduled), "{scheduled}");
    assert_eq!(report["sent"], seen.load(Ordering::SeqCst));
}

#[test]
fn ctrl_c_ends_it_early_and_the_report_is_still_told() {
    let (_guard, dir) = temporary();
    let (address, seen) = server();
    let url = format!("http://{address}/");
    let child = Command::new(command(&dir).get_program())
        .args(["load", &url, "--rate", "200", "--duration", "2m", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let start = Instant::now();
    while seen.load(Ordering::SeqCst) < 20 {
        assert!(start.elapsed() < SEEN_WITHIN, "nothing was sent");
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    kill(pid, Signal::SIGINT).expect("it runs");
    let Output { status, stdout, .. } = child.wait_with_output().expect("it ends");
    assert!(status.success(), "{status}");
    let report: Value = serde_json::from_slice(&stdout).expect("one JSON object");
    assert_eq!(report["ended_early"], true);
    let count = |name: &str| report[name].as_u64().expect("a number");
    let seen = seen.load(Ordering::SeqCst);
    assert!((1..=seen).contains(&count("answered")), "{report}");
    assert!(seen <= count("sent"), "{report}");
}

#[test]
fn bad_input_and_a_target_that_is_not_there_are_one_line() {
    let (_guard, dir) = temporary();
    std::fs::write(dir.join("targets"), "http://127.0.0.1:1/\nhere\n").expect("written");
    std::fs::write(dir.join("good"), "http://127.0.0.1:1/\n").expect("written");
    for (args, words) in [
        (&["https://127.0.0.1/"][..], "only http://"),
        (&["127.0.0.1:80"], "write http://HOST:PORT/PATH"),
        (&[], "<URL>"),
        (&["--targets", "targets"], "targets:2:"),
        (&["--targets", "missing"], "missing:"),
        (&["http://127.0.0.1:1/", "--rate", "0"], "the rate must be"),
        (
            &["http://127.0.0.1:1/", "--connections", "0"],
            "the number of connections must be",
        ),
        (
            &["http://127.0.0.1:1/", "--spike", "5"],
            "RATE@START+LENGTH",
        ),
        (
            &["http://127.0.0.1:1/", "--duration", "soon"],
            "such as 10s",
        ),
        (&["http://127.0.0.1:1/", "-H", "none"], "NAME: VALUE"),
        (
            &["http://127.0.0.1:1/", "--targets", "good", "--zipf=-1"],
            "Zipf must be",
        ),
        (&["http://127.0.0.1:1/"], "127.0.0.1:1 does not answer"),
    ] {
        let said = refused(&dir, &[&["load"], args].concat());
        assert!(said.contains(words), "{args:?}: {said}");
    }
}
