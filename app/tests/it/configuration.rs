//! `docs/configuration.md` says what the structs say. `UPDATE_DOCS=1` writes it anew.
//!
//! The words come from the comments beside the fields, the defaults from the structs themselves.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tradewind::config::{Config, env_name, keys};

const HEAD: &str = "# Configuration

<!-- Made from the structs by `UPDATE_DOCS=1 cargo test -p tradewind configuration`; do not edit. -->

Everything has a default: an empty file is a valid one.
`tradewind up` reads `tradewind.toml` in the current directory if it is there, or the file that `--config` names.
`tradewind config check` says whether it is valid, or names the file, line and column of the mistake; `tradewind config show` prints what is in effect, without secrets.

A stronger place wins: default, then file, then environment, then flag.
The environment variable of a key is `TRADEWIND__`, then the key in capitals with `__` for each dot: `store.url` is `TRADEWIND__STORE__URL`.
A value that is no text is written as in TOML: `TRADEWIND__DISCOVERY__ADDRESSES__LINKS='[\"10.0.0.1:7070\"]'`.

An unknown key is refused, with the nearest known one.
";

/// A struct or an enum with its comments.
#[derive(Default)]
struct Described {
    text: String,
    /// Name, type and comment of each field.
    fields: Vec<(String, String, String)>,
}

#[test]
fn the_page_about_the_configuration_says_what_the_structs_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned();
    let page = page(&root);
    let path = root.join("docs/configuration.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page,
        "docs/configuration.md is stale; run UPDATE_DOCS=1 cargo test -p tradewind configuration"
    );
    for key in keys() {
        assert!(
            page.contains(&format!("`{key}`")),
            "{key} is not on the page"
        );
    }
}

fn page(root: &Path) -> String {
    let mut sources: Vec<(String, PathBuf)> =
        ["app/src", "platform/web/src", "platform/telemetry/src"]
            .map(|folder| (String::new(), root.join(folder)))
            .to_vec();
    sources.push(("stage::".to_owned(), root.join("lab/stage/src")));
    for service in std::fs::read_dir(root.join("services"))
        .expect("services")
        .flatten()
    {
        let name = service.file_name().to_string_lossy().replace('-', "_");
        sources.push((format!("{name}::"), service.path().join("src")));
    }
    let mut known = BTreeMap::new();
    for (prefix, folder) in sources {
        for file in files(&folder) {
            let text = std::fs::read_to_string(&file).expect("a source file");
            describe(&text, &prefix, &mut known);
        }
    }
    let defaults = serde_json::to_value(Config::default()).expect("plain data");
    let mut page = HEAD.to_owned();
    let mut sections = Vec::new();
    let config = &known["Config"];
    write_table(&mut page, "", config, &defaults, &known, "", &mut sections);
    while !sections.is_empty() {
        let (key, of, text, module): (String, String, String, String) = sections.remove(0);
        let value = defaults
            .pointer(&format!("/{}", key.replace('.', "/")))
            .expect("a section");
        writeln!(page, "\n## `[{key}]`\n\n{text}").expect("a String takes all");
        write_table(
            &mut page,
            &key,
            &known[&of],
            value,
            &known,
            &module,
            &mut sections,
        );
    }
    page
}

fn write_table(
    page: &mut String,
    section: &str,
    of: &Described,
    values: &Value,
    known: &BTreeMap<String, Described>,
    module: &str,
    sections: &mut Vec<(String, String, String, String)>,
) {
    let mut rows = String::new();
    for (name, kind, text) in &of.fields {
        let key = if section.is_empty() {
            name.clone()
        } else {
            format!("{section}.{name}")
        };
        let value = &values[name];
        // A type of the same crate as the struct, or one that is named with its crate.
        let kind = kind.trim_start_matches("::");
        let candidates = [format!("{module}{kind}"), kind.to_owned()];
        let found = candidates
            .iter()
            .find(|k| known.get(*k).is_some_and(|d| !d.fields.is_empty()));
        match (found, value) {
            (Some(of), Value::Object(_)) => {
                let module = of
                    .rsplit_once("::")
                    .map_or(module.to_owned(), |(m, _)| format!("{m}::"));
                sections.push((key, of.clone(), text.clone(), module));
            }
            _ => {
                let default = match value {
                    Value::Null => "not set".to_owned(),
                    Value::Object(map) if map.is_empty() => "none".to_owned(),
                    other => format!("`{other}`"),
                };
                let _ = writeln!(
                    rows,
                    "| `{key}` | {default} | {} |",
                    text.replace('|', "\\|")
                );
                assert!(env_name(&key).starts_with("TRADEWIND__"));
            }
        }
    }
    if !rows.is_empty() {
        let _ = write!(
            page,
            "\n| key | default | what it is |\n|---|---|---|\n{rows}"
        );
    }
}

/// Takes every struct of `text` with the comments of its public fields.
fn describe(text: &str, prefix: &str, known: &mut BTreeMap<String, Described>) {
    let mut comment = String::new();
    let mut current: Option<String> = None;
    for line in text.lines() {
        let line = line.trim();
        if let Some(words) = line.strip_prefix("/// ") {
            if !comment.is_empty() {
                comment.push(' ');
            }
            comment.push_str(words);
            continue;
        }
        if let Some(name) = line
            .strip_prefix("pub struct ")
            .and_then(|l| l.strip_suffix(" {"))
        {
            let name = format!("{prefix}{name}");
            let of = Described {
                text: std::mem::take(&mut comment),
                fields: Vec::new(),
            };
            known.entry(name.clone()).or_insert(of);
            current = Some(name);
        } else if line == "}" {
            current = None;
        } else if let (Some(of), Some(field)) = (&current, line.strip_prefix("pub "))
            && let Some((name, kind)) = field.trim_end_matches(',').split_once(": ")
        {
            let of = known.get_mut(of).expect("it was put there");
            let text = std::mem::take(&mut comment);
            of.fields.push((name.to_owned(), kind.to_owned(), text));
        }
        if !line.starts_with("#[") {
            comment.clear();
        }
    }
    known.retain(|_, of| !of.text.is_empty() || !of.fields.is_empty());
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)
        .expect("a source folder")
        .flatten()
    {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
