//! Modules have one direction of knowledge: none go in a circle, and the rooms of `app` know only
//! those below.
//!
//! Circles that remain are listed with their reason in `xtask/circles.toml`, and nowhere else. A line
//! there that is no longer true is a fault as well, so that the list can only become shorter.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::graph::modules::{self, Area, Place};
use crate::workspace::Workspace;

const CIRCLE: &str = "module-circle";
const ROOM: &str = "rooms";
const LIST: &str = "xtask/circles.toml";

/// The rooms of `app`, from the one that all may know to the one that knows all.
const ROOMS: &[&str] = &["settings", "shell", "operate", "compose", "cli"];

/// A circle that is let be.
struct Listed {
    at: String,
    modules: BTreeSet<String>,
    reason: String,
    line: usize,
}

/// Reads the modules of each crate.
pub fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    let areas = modules::areas(workspace);
    modules::check(workspace, &areas, findings);
    check_circles(&areas, &listed(workspace), findings);
    let app = workspace.packages.iter().find(|p| p.folder == "app");
    if let Some(area) = app.and_then(|app| areas.iter().find(|area| area.name == app.name)) {
        check_rooms(area, findings);
    }
}

fn check_circles(areas: &[Area], listed: &[Listed], findings: &mut Vec<Finding>) {
    let mut unseen: Vec<&Listed> = listed.iter().collect();
    for area in areas {
        for circle in area.circles() {
            let is_it = |known: &&Listed| known.at == area.name && known.modules == circle;
            if let Some(at) = unseen.iter().position(is_it) {
                unseen.remove(at);
                continue;
            }
            let way = area.way_round(&circle);
            let advice = format!(
                "{} modules of {} know each other in a circle, as in {}: move what stands in the \
                 wrong place, or list {:?} with its reason in {LIST}",
                circle.len(),
                area.name,
                way.join(" -> "),
                circle.iter().collect::<Vec<_>>()
            );
            let place = way.first().zip(way.get(1));
            let place = place.and_then(|(a, b)| area.edges.get(&(a.clone(), b.clone())));
            if let Some(Place { path, line }) = place {
                findings.push(Finding::fault(path, *line, CIRCLE, advice));
            }
        }
    }
    for known in unseen {
        let advice =
            "there is no such circle (any more): drop it from the list, or list what is left of it";
        findings.push(Finding::fault(LIST, known.line, CIRCLE, advice));
    }
    for known in listed.iter().filter(|known| known.reason.trim().is_empty()) {
        let advice = "a circle that is let be needs its reason";
        findings.push(Finding::fault(LIST, known.line, CIRCLE, advice));
    }
}

/// Modules that are no room stand above all: they may know every room, and no room may know them.
fn check_rooms(app: &Area, findings: &mut Vec<Finding>) {
    let height = |name: &str| ROOMS.iter().position(|room| *room == name);
    for ((from, to), place) in &app.edges {
        let advice = match (height(from), height(to)) {
            (Some(from_height), Some(to_height)) if from_height < to_height => format!(
                "the room `{from}` is below `{to}` and does not know it: hand it over what it needs, \
                 or move it down"
            ),
            (Some(_), None) => {
                format!(
                    "`{to}` is in no room: move it into one of {}",
                    ROOMS.join(", ")
                )
            }
            _ => continue,
        };
        findings.push(Finding::fault(&place.path, place.line, ROOM, advice));
    }
}

/// The list; a workspace without one lets no circle be.
fn listed(workspace: &Workspace) -> Vec<Listed> {
    let text = workspace.text(LIST).unwrap_or_default();
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let entries = table.get("circle").and_then(toml::Value::as_array);
    let lines = text.lines().enumerate();
    let heads = lines.filter(|(_, line)| line.trim() == "[[circle]]");
    let entries = entries.into_iter().flatten().zip(heads);
    entries
        .map(|(entry, (at, _))| read(entry, at + 1))
        .collect()
}

fn read(entry: &toml::Value, line: usize) -> Listed {
    let text = |key: &str| {
        let value = entry.get(key).and_then(toml::Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let modules = entry.get("modules").and_then(toml::Value::as_array);
    let modules = modules
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str);
    Listed {
        at: text("at"),
        modules: modules.map(str::to_owned).collect(),
        reason: text("reason"),
        line,
    }
}
