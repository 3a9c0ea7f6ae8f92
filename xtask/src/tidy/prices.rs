//! Every knob has its price: a row in `docs/price-list.md`, and every row has its knob.
//!
//! A knob is what a service or the stage declares: `declare("name", ..)`. A row begins with a link
//! whose text is the knob. A stamped service has no price yet; its row says so, and that is a warning
//! as long as none of the service's knobs has been measured.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Finding;
use crate::source::Word;
use crate::workspace::{Shelf, Workspace};

const RULE: &str = "knob-price";
/// The page, which the program writes.
pub const PAGE: &str = "docs/price-list.md";
/// What stands in the row of a knob that has never been measured.
pub const UNMEASURED: &str = "not measured yet";
const COMMAND: &str = "cargo run --release -- lab prices --markdown docs/price-list.md";

/// A knob in the code.
struct Declared {
    /// The service's name, or the beginning of it for a crate of the lab.
    service: Service,
    name: String,
    path: String,
    line: usize,
}

enum Service {
    /// A crate of `services/`: the folder is the service.
    Is(String),
    /// A crate of `lab/`: it has several services, such as `stage_back` of `stage`.
    BeginsWith(String),
}

/// What the page says of one knob.
#[derive(Default)]
struct Rows {
    line: usize,
    is_measured: bool,
}

/// Holds the knobs of the code against the rows of the page.
pub fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    let declared = declared(workspace, findings);
    let text = workspace.text(PAGE).unwrap_or_default();
    let rows = rows(&text);
    let measured: BTreeSet<&str> = rows
        .iter()
        .filter(|(_, row)| row.is_measured)
        .filter_map(|(knob, _)| Some(knob.split_once('.')?.0))
        .collect();
    for knob in &declared {
        let Some((name, row)) = rows.iter().find(|(name, _)| knob.is(name)) else {
            let name = &knob.name;
            let advice = format!(
                "the knob `{name}` has no price in {PAGE}: write its load to \
                 lab/experiments/prices/SERVICE.{name}.toml, then run `{COMMAND}`"
            );
            findings.push(Finding::fault(&knob.path, knob.line, RULE, advice));
            continue;
        };
        if row.is_measured {
            continue;
        }
        let service = name.split_once('.').map_or(*name, |(service, _)| service);
        let advice = format!("the price of `{name}` is {UNMEASURED}: run `{COMMAND}`");
        findings.push(match measured.contains(service) {
            true => Finding::fault(PAGE, row.line, RULE, advice),
            false => Finding::warning(PAGE, row.line, RULE, advice),
        });
    }
    for (name, row) in &rows {
        if !declared.iter().any(|knob| knob.is(name)) {
            let advice = format!("there is no knob `{name}` any more: run `{COMMAND}`");
            findings.push(Finding::fault(PAGE, row.line, RULE, advice));
        }
    }
}

impl Declared {
    fn is(&self, full_name: &str) -> bool {
        let Some((service, name)) = full_name.split_once('.') else {
            return false;
        };
        let ours = match &self.service {
            Service::Is(own) => service == own,
            Service::BeginsWith(start) => service.starts_with(start),
        };
        ours && name == self.name
    }
}

/// Every knob of a service or of the lab.
fn declared(workspace: &Workspace, findings: &mut Vec<Finding>) -> Vec<Declared> {
    let mut all = Vec::new();
    for package in &workspace.packages {
        let folder = package.folder.rsplit('/').next().unwrap_or_default();
        let service = || match package.shelf() {
            Shelf::Service => Some(Service::Is(folder.to_owned())),
            Shelf::Lab => Some(Service::BeginsWith(format!("{folder}_"))),
            _ => None,
        };
        for source in workspace.sources_under(&package.folder) {
            if source.is_test() {
                continue;
            }
            for Word { text, line } in &source.scan().declared {
                let Some(service) = service() else { continue };
                if text.is_empty() {
                    let advice = "write the knob's name as a literal, so that it can be found";
                    findings.push(Finding::fault(&source.path, *line, RULE, advice));
                    continue;
                }
                all.push(Declared {
                    service,
                    name: text.clone(),
                    path: source.path.clone(),
                    line: *line,
                });
            }
        }
    }
    all
}

/// The knobs that the page prices. The first row of a knob gives the line; one figure is enough.
fn rows(text: &str) -> BTreeMap<&str, Rows> {
    let mut rows: BTreeMap<&str, Rows> = BTreeMap::new();
    for (line, number) in text.lines().zip(1..) {
        let Some(knob) = knob_of(line) else { continue };
        let row = rows.entry(knob).or_default();
        if row.line == 0 {
            row.line = number;
        }
        row.is_measured |= !line.contains(UNMEASURED);
    }
    rows
}

/// The knob that a line of the page is about: `| [links.cache](..) | ..`.
pub fn knob_of(line: &str) -> Option<&str> {
    let (knob, _) = line.strip_prefix("| [")?.split_once("](")?;
    knob.contains('.').then_some(knob)
}
