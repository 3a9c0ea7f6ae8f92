//! What `up` says once all is ready: what runs where, what to open, how to stop.

use std::fmt::Write;

use crate::compose::Running;
use crate::settings::config::{Config, Topology, redacted_url};
use crate::settings::data::DataDir;

/// The text for people.
pub(super) fn of(running: &Running, data: &DataDir) -> String {
    let ready = running.ready();
    let config = &running.host().config;
    let url = |name: &str| ready.url(name).unwrap_or_default().to_owned();
    let mut rows = vec![
        ("Console", url("console")),
        ("Short links", format!("{}/CODE", url("links"))),
        ("Links API", format!("{}/links", url("api"))),
        ("API document", url("openapi")),
        ("Metrics", url("metrics")),
        ("Data", store(config, data)),
    ];
    for (name, url) in [("Cache", &config.cache.url), ("Events", &config.bus.url)] {
        if let Some(url) = url {
            rows.push((name, redacted_url(url)));
        }
    }
    let mut text = format!("Tradewind {} runs {}\n\n", ready.version, place(running));
    for (name, value) in rows {
        line(&mut text, name, &value);
    }
    for process in running.processes() {
        let pid = process
            .pid
            .map_or_else(|| "not running".to_owned(), |pid| format!("process {pid}"));
        line(&mut text, &process.id, &pid);
    }
    text.push_str("\nMake a link:\n");
    let example = r#"{"url": "https://www.rust-lang.org/", "code": "rust"}"#;
    let api = url("api");
    let key = if running.host().keys_needed() {
        " -H 'authorization: Bearer KEY'"
    } else {
        ""
    };
    text.push_str(&format!(
        "  curl -s {api}/links{key} -H 'content-type: application/json' -d '{example}'\n"
    ));
    text.push_str("\nCtrl-C stops it: requests in flight finish. Twice stops at once.\n");
    text
}

fn place(running: &Running) -> String {
    let pid = running.ready().pid;
    match running.ready().topology {
        Topology::Together => format!("in one process ({pid})"),
        Topology::Apart => {
            format!(
                "in {} processes, supervised by {pid}",
                running.processes().len()
            )
        }
    }
}

fn store(config: &Config, data: &DataDir) -> String {
    match &config.store.url {
        Some(url) if url.starts_with("postgres") => redacted_url(url),
        _ => format!("SQLite in {}", data.path().display()),
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  {name:<14}{value}");
}
