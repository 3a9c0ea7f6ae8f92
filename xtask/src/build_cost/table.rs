//! The table of builds, one row a crate.

use super::Form;
use super::report::{Cost, Report};

/// The table of all reports: the rows in the order of the first.
pub(super) fn render(reports: &[Report], form: Form) -> String {
    let mut rows = vec![head(reports)];
    for name in names(reports) {
        rows.push(row(reports, name, |report| {
            report.crates.iter().find(|cost| cost.name == name).cloned()
        }));
    }
    rows.push(row(reports, "all of ours", |report| Some(report.ours())));
    rows.push(sums(reports, "other people's", |report| report.foreign_s));
    rows.push(sums(reports, "procedural macros, build tools", |report| {
        report.tools_s
    }));
    rows.push(sums(reports, "the sum", Report::total_s));
    rows.push(sums(reports, "from start to end", |report| {
        report.times.wall_s
    }));
    if reports.iter().all(|report| report.times.cpu_s.is_some()) {
        rows.push(sums(reports, "CPU", |report| {
            report.times.cpu_s.unwrap_or_default()
        }));
    }
    match form {
        Form::Text => aligned(&rows),
        Form::Markdown => markdown(&rows),
    }
}

fn head(reports: &[Report]) -> Vec<String> {
    let mut head = vec!["crate".to_owned(), "lines".to_owned()];
    for report in reports {
        head.push(format!("{}, s", report.build.name()));
        head.push("per 1,000 lines".to_owned());
    }
    head
}

/// Every crate, the dearest of the first report first.
fn names(reports: &[Report]) -> Vec<&str> {
    let mut names = Vec::new();
    for cost in reports.iter().flat_map(|report| &report.crates) {
        if !names.contains(&cost.name.as_str()) {
            names.push(cost.name.as_str());
        }
    }
    names
}

fn row(reports: &[Report], name: &str, cost: impl Fn(&Report) -> Option<Cost>) -> Vec<String> {
    let costs: Vec<Option<Cost>> = reports.iter().map(cost).collect();
    let lines = costs.iter().flatten().map(|cost| cost.lines).max();
    let mut row = vec![name.to_owned(), grouped(lines.unwrap_or_default())];
    for cost in costs {
        row.extend(match cost {
            Some(cost) => [cost.seconds, cost.per_1000_lines()].map(|s| format!("{s:.1}")),
            None => Default::default(),
        });
    }
    row
}

fn sums(reports: &[Report], name: &str, seconds: impl Fn(&Report) -> f64) -> Vec<String> {
    let mut row = vec![name.to_owned(), String::new()];
    for report in reports {
        row.extend([format!("{:.1}", seconds(report)), String::new()]);
    }
    row
}

/// `13159` as `13,159`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn markdown(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        text.push_str(&format!("| {} |\n", row.join(" | ")));
        if at == 0 {
            text.push_str(&format!("|{}\n", "---|".repeat(row.len())));
        }
    }
    text
}

fn aligned(rows: &[Vec<String>]) -> String {
    let widest = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let mut text = String::new();
    for row in rows {
        let name = format!("{:<width$}", row[0], width = widths[0]);
        let rest = row.iter().zip(&widths).skip(1);
        let rest: String = rest
            .map(|(cell, width)| format!("  {cell:>width$}"))
            .collect();
        text.push_str(format!("{name}{rest}").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::{Build, Times};
    use super::*;
    use crate::workspace::Shelf;

    fn report(build: Build, crates: &[(&str, f64, usize)]) -> Report {
        let crates = crates.iter().map(|(name, seconds, lines)| Cost {
            name: (*name).to_owned(),
            shelf: Shelf::Other,
            seconds: *seconds,
            lines: *lines,
        });
        Report {
            build,
            crates: crates.collect(),
            foreign_s: 50.0,
            tools_s: 6.25,
            times: Times {
                wall_s: 70.0,
                cpu_s: None,
            },
            binary_bytes: None,
        }
    }

    fn reports() -> [Report; 2] {
        [
            report(
                Build::Release,
                &[("links", 40.0, 13_159), ("mesh", 8.0, 800)],
            ),
            report(
                Build::Tests,
                &[("links", 10.0, 13_159), ("testkit", 1.0, 1_000)],
            ),
        ]
    }

    #[test]
    fn builds_stand_side_by_side_and_a_crate_that_one_lacks_has_no_figure_there() {
        let text = render(&reports(), Form::Markdown);
        let expected = "\
| crate | lines | release, s | per 1,000 lines | tests, s | per 1,000 lines |
|---|---|---|---|---|---|
| links | 13,159 | 40.0 | 3.0 | 10.0 | 0.8 |
| mesh | 800 | 8.0 | 10.0 |  |  |
| testkit | 1,000 |  |  | 1.0 | 1.0 |
| all of ours | 14,159 | 48.0 | 3.4 | 11.0 | 0.8 |
| other people's |  | 50.0 |  | 50.0 |  |
| procedural macros, build tools |  | 6.2 |  | 6.2 |  |
| the sum |  | 104.2 |  | 67.2 |  |
| from start to end |  | 70.0 |  | 70.0 |  |
";
        assert_eq!(text, expected);
    }

    #[test]
    fn in_a_terminal_the_columns_are_aligned() {
        let text = render(&reports()[..1], Form::Text);
        let mut lines = text.lines();
        let [head, links] = [lines.next(), lines.next()].map(Option::unwrap_or_default);
        assert_eq!(head.len(), links.len(), "{text}");
        assert!(
            links.starts_with("links") && links.ends_with("3.0"),
            "{text}"
        );
    }
}
