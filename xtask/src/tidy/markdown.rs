//! The documents keep their word: links lead somewhere, and the commands they show exist.
//!
//! A command is checked by its parts: a chore of xtask, a script of the repository, a cargo
//! subcommand with its package, a subcommand or flag of the program (which must occur in `app/src`).

use std::collections::BTreeSet;

use crate::COMMANDS;
use crate::finding::Finding;
use crate::workspace::Workspace;

/// Reads every Markdown file of ours.
pub fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    let known = Known::of(workspace);
    let ours = |path: &&String| path.ends_with(".md") && !path.contains("/vendor/");
    for path in workspace.files.iter().filter(ours) {
        let text = workspace.text(path).unwrap_or_default();
        let mut in_code = false;
        for (line, number) in text.lines().zip(1..) {
            if line.trim_start().starts_with("```") {
                in_code = !in_code;
            } else if in_code {
                if let Some(advice) = known.objection(workspace, line) {
                    findings.push(Finding::fault(path, number, "documented-command", advice));
                }
            } else {
                check_links(workspace, path, number, line, findings);
            }
        }
    }
}

/// What a documented command may name.
struct Known {
    packages: BTreeSet<String>,
    /// Flags and subcommands of the program: identifiers of `app/src` in kebab case, and strings.
    program: BTreeSet<String>,
}

impl Known {
    fn of(workspace: &Workspace) -> Self {
        let mut program = BTreeSet::new();
        for source in workspace.sources_under("app/src") {
            let scan = source.scan();
            program.extend(scan.words.iter().map(|word| kebab(&word.text)));
            program.extend(scan.strings.iter().map(|string| string.text.clone()));
        }
        let packages = workspace
            .packages
            .iter()
            .map(|package| package.name.clone())
            .collect();
        Self { packages, program }
    }

    fn objection(&self, workspace: &Workspace, line: &str) -> Option<String> {
        let line = line.split(" #").next().unwrap_or_default();
        let words: Vec<&str> = line
            .split_whitespace()
            .skip_while(|word| is_setting(word))
            .collect();
        match words.as_slice() {
            ["cargo", "xtask", chore, ..] => (!COMMANDS.iter().any(|(name, _)| name == chore))
                .then(|| format!("xtask has no chore `{chore}`")),
            ["cargo", "run", rest @ ..] => {
                let program = rest.iter().skip_while(|word| **word != "--").skip(1);
                self.program_objection(program.copied())
            }
            ["cargo", rest @ ..] => self.package_objection(rest),
            ["tradewind" | "./tradewind", rest @ ..] => {
                self.program_objection(rest.iter().copied())
            }
            [script, ..] if is_script(script) => {
                let path = script.trim_start_matches("./");
                let exists =
                    path.starts_with("target/") || workspace.files.iter().any(|f| f == path);
                (!exists).then(|| format!("`{script}` is no file of the repository"))
            }
            _ => None,
        }
    }

    fn package_objection(&self, words: &[&str]) -> Option<String> {
        let named = words
            .windows(2)
            .filter(|pair| matches!(pair[0], "-p" | "--package"));
        let unknown = named
            .map(|pair| pair[1])
            .find(|name| !self.packages.contains(*name))?;
        Some(format!("`{unknown}` is no crate of this workspace"))
    }

    fn program_objection<'a>(&self, words: impl Iterator<Item = &'a str>) -> Option<String> {
        for (word, place) in words
            .take_while(|word| !matches!(*word, "|" | "&" | "&&"))
            .zip(0..)
        {
            let flag = word
                .strip_prefix("--")
                .map(|flag| flag.split('=').next().unwrap_or_default());
            let wanted = match flag {
                Some(flag) => flag,
                None if place == 0 => word,
                None => continue,
            };
            if !self.program.contains(wanted) {
                return Some(format!("the program does not know `{word}`"));
            }
        }
        None
    }
}

fn is_setting(word: &str) -> bool {
    word == "$"
        || word
            .split_once('=')
            .is_some_and(|(name, _)| name.chars().all(|c| c.is_uppercase() || c == '_'))
}

fn is_script(word: &str) -> bool {
    ["./", ".ci/", "bench/"]
        .iter()
        .any(|start| word.starts_with(start))
}

/// `DataDir` and `data_dir` as `data-dir`.
fn kebab(word: &str) -> String {
    let mut out = String::new();
    for c in word.chars() {
        if c.is_uppercase() && !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out.replace('_', "-")
}

fn check_links(
    workspace: &Workspace,
    path: &str,
    number: usize,
    line: &str,
    findings: &mut Vec<Finding>,
) {
    for rest in line.split("](").skip(1) {
        let target = rest.split([')', '#', ' ']).next().unwrap_or_default();
        let outside =
            target.contains("://") || target.starts_with("mailto:") || target.starts_with('/');
        if target.is_empty() || outside {
            continue;
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !workspace.root.join(folder).join(target).exists() {
            let advice = format!("`{target}` does not exist: mend the link");
            findings.push(Finding::fault(path, number, "dead-link", advice));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::kebab;

    #[test]
    fn names_become_flags() {
        assert_eq!(kebab("ready_file"), "ready-file");
        assert_eq!(kebab("ConfigCheck"), "config-check");
    }
}
