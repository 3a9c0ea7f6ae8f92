//! The drawing of what was loaded: a box for each service, an arrow for each call.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::esc;
use crate::model::{Run, System};

const BOX: (f64, f64) = (132.0, 46.0);
const GAP: (f64, f64) = (72.0, 26.0);
const MARGIN: f64 = 26.0;

/// Columns at most; a longer chain of calls ends in the last.
const COLUMNS_MAX: usize = 8;

/// Replicas that are drawn as cards behind the box, at most.
const BEHIND_MAX: u32 = 3;

/// Each system with its drawing.
pub(super) fn write(out: &mut String, run: &Run) {
    if run.systems.is_empty() {
        return;
    }
    out.push_str("<section><h2>What was loaded</h2>\n");
    for (index, system) in run.systems.iter().enumerate() {
        let users = run
            .variants
            .iter()
            .filter(|variant| variant.system == index);
        let users: Vec<String> = users.map(|variant| esc(&variant.name)).collect();
        let which = if run.systems.len() > 1 {
            format!("{}, for {}: ", esc(&system.name), users.join(", "))
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "<figure><div class=wide>{}</div><figcaption>{which}topology <b>{}</b> · store <b>{}</b> · \
             cache <b>{}</b> · events <b>{}</b></figcaption></figure>",
            drawing(system, index),
            esc(&system.topology),
            esc(&system.store),
            esc(&system.cache),
            esc(&system.bus)
        );
    }
    out.push_str("</section>\n");
}

fn drawing(system: &System, index: usize) -> String {
    let places = places(system);
    let columns = places
        .values()
        .map(|(column, _)| column + 1)
        .max()
        .unwrap_or(1);
    let rows = places.values().map(|(_, row)| row + 1).max().unwrap_or(1);
    let width = 2.0 * MARGIN + columns as f64 * (BOX.0 + GAP.0) - GAP.0;
    let height = 2.0 * MARGIN + rows as f64 * (BOX.1 + GAP.1) - GAP.1;
    let names: Vec<&str> = places.keys().copied().collect();
    let mut out = format!(
        "<svg class=topology viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" role=img aria-labelledby=\"t{index}\">\
         <title id=\"t{index}\">{} services: {}</title>\
         <defs><marker id=\"arrow{index}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path class=head d=\"M0 0L8 4L0 8Z\"/></marker></defs>",
        places.len(),
        esc(&names.join(", "))
    );
    if system.topology != "apart" {
        let _ = write!(
            out,
            "<rect class=process-box x=\"4\" y=\"4\" width=\"{:.0}\" height=\"{:.0}\" rx=\"10\"/>\
             <text class=small x=\"12\" y=\"16\">one process</text>",
            width - 8.0,
            height - 8.0
        );
    }
    let place = |name: &str| {
        let (column, row) = places.get(name).copied().unwrap_or_default();
        // Columns with fewer boxes are centred.
        let own = places
            .values()
            .filter(|(other, _)| *other == column)
            .count();
        let down = (rows - own) as f64 * (BOX.1 + GAP.1) / 2.0;
        (
            MARGIN + column as f64 * (BOX.0 + GAP.0),
            MARGIN + row as f64 * (BOX.1 + GAP.1) + down,
        )
    };
    for (from, to) in &system.edges {
        let ((x1, y1), (x2, y2)) = (place(from), place(to));
        let _ = write!(
            out,
            "<path class=edge marker-end=\"url(#arrow{index})\" d=\"{}\"><title>{} calls {}</title></path>",
            curve((x1, y1), (x2, y2)),
            esc(from),
            esc(to)
        );
    }
    for name in &names {
        boxed(&mut out, name, place(name), system);
    }
    out.push_str("</svg>");
    out
}

/// From the right of one box to the left of another; over the top when that is not to its right.
fn curve((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> String {
    let middle = BOX.1 / 2.0;
    let (from, to) = (x1 + BOX.0, x2 - 2.0);
    if x2 > x1 {
        let bend = (to - from) / 2.0;
        let (leave, arrive) = (y1 + middle, y2 + middle);
        // A call that skips a column goes over the boxes in between.
        let skips = x2 - x1 > 1.5 * (BOX.0 + GAP.0);
        let over = y1.min(y2) - BOX.1 * 0.6;
        let (first, second) = if skips { (over, over) } else { (leave, arrive) };
        return format!(
            "M{from:.1} {leave:.1}C{:.1} {first:.1} {:.1} {second:.1} {to:.1} {arrive:.1}",
            from + bend,
            to - bend
        );
    }
    let (start, end) = (x1 + BOX.0 / 2.0, x2 + BOX.0 / 2.0);
    let top = y1.min(y2) - MARGIN;
    let arrive = if y1 < y2 { y2 - 2.0 } else { y2 + BOX.1 + 2.0 };
    let leave = if y1 < y2 { y1 + BOX.1 } else { y1 };
    if (x1 - x2).abs() < 1.0 && y1 != y2 {
        return format!("M{start:.1} {leave:.1}L{end:.1} {arrive:.1}");
    }
    format!(
        "M{start:.1} {y1:.1}C{start:.1} {top:.1} {end:.1} {top:.1} {end:.1} {:.1}",
        y2 - 2.0
    )
}

fn boxed(out: &mut String, name: &str, (x, y): (f64, f64), system: &System) {
    let replicas = system.replicas.get(name).copied().unwrap_or(1);
    for behind in (1..replicas.min(BEHIND_MAX)).rev() {
        let by = f64::from(behind) * 4.0;
        let _ = write!(
            out,
            "<rect class=card x=\"{:.1}\" y=\"{:.1}\" width=\"{}\" height=\"{}\" rx=\"8\"/>",
            x + by,
            y - by,
            BOX.0,
            BOX.1
        );
    }
    let many = match replicas {
        1 => "1 replica".to_owned(),
        many => format!("{many} replicas"),
    };
    let _ = write!(
        out,
        "<rect class=card x=\"{x:.1}\" y=\"{y:.1}\" width=\"{}\" height=\"{}\" rx=\"8\"/>\
         <text class=name x=\"{:.1}\" y=\"{:.1}\">{}</text><text class=small x=\"{:.1}\" y=\"{:.1}\">{many}</text>",
        BOX.0,
        BOX.1,
        x + 12.0,
        y + 20.0,
        esc(&crate::words::clip(name, 16)),
        x + 12.0,
        y + 36.0
    );
}

/// The column and the row of each service: callers stand left of those whom they call.
fn places(system: &System) -> BTreeMap<&str, (usize, usize)> {
    let mut names: BTreeSet<&str> = system.replicas.keys().map(String::as_str).collect();
    for (from, to) in &system.edges {
        names.extend([from.as_str(), to.as_str()]);
    }
    let mut columns: BTreeMap<&str, usize> = names.iter().map(|name| (*name, 0)).collect();
    // As often as a chain can be long; a circle ends there too.
    for _ in 0..COLUMNS_MAX {
        for (from, to) in system.edges.iter().filter(|(from, to)| from != to) {
            let least = (columns[from.as_str()] + 1).min(COLUMNS_MAX - 1);
            let column = columns.entry(to.as_str()).or_default();
            *column = (*column).max(least);
        }
    }
    let mut filled: BTreeMap<usize, usize> = BTreeMap::new();
    columns
        .into_iter()
        .map(|(name, column)| {
            let row = filled.entry(column).or_default();
            *row += 1;
            (name, (column, *row - 1))
        })
        .collect()
}
