//! A comparison for the terminal and for programs.

use super::Comparison;
use crate::estimate::Estimate;
use crate::number;
use crate::text::wrap;
use crate::words::{clip, heading};

impl Comparison {
    /// As text for a terminal, in at most 100 columns.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = vec![
            format!("before  {}", self.before),
            format!("after   {}", self.after),
        ];
        for warning in &self.warnings {
            wrap(&mut lines, warning, "careful: ");
        }
        lines.push(String::new());
        if self.variants.is_empty() || self.metrics.is_empty() {
            wrap(
                &mut lines,
                "Nothing to compare: the runs share no variant and metric by name.",
                "",
            );
        } else {
            self.table(&mut lines);
        }
        for (only, what) in [(&self.only_before, "before"), (&self.only_after, "after")] {
            if !only.is_empty() {
                wrap(
                    &mut lines,
                    &format!("Only {what}: {}.", only.join(", ")),
                    "",
                );
            }
        }
        lines.push(String::new());
        wrap(
            &mut lines,
            "The trials of two runs are not interleaved: what else changed between them is in the difference.",
            "",
        );
        lines.join("\n") + "\n"
    }

    fn table(&self, lines: &mut Vec<String>) {
        let names = self.variants.iter().map(|both| both.name.chars().count());
        let longest = names.max().unwrap_or(0).clamp(10, 26);
        lines.push(format!(
            "  {:<longest$}  {:>9}  {:>9}  {:<8} {:<17}",
            "", "before", "after", "differ", "95 % interval"
        ));
        for (index, metric) in self.metrics.iter().enumerate() {
            let mut title = Vec::new();
            wrap(&mut title, &heading(metric), "");
            lines.append(&mut title);
            for both in &self.variants {
                let (before, after) = &both.metrics[index];
                let name = clip(&both.name, longest);
                let line = format!(
                    "  {name:<longest$}  {:>9}  {:>9}  {}",
                    number::value(before),
                    number::value(after),
                    against(after)
                );
                lines.push(line.trim_end().to_owned());
            }
        }
    }

    /// As one JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings, numbers and lists always become JSON")
    }
}

fn against(estimate: &Estimate) -> String {
    match &estimate.difference {
        Some(difference) => format!(
            "{:<8} {:<17} {}",
            number::difference(difference),
            number::difference_interval(difference),
            estimate.verdict.words()
        ),
        None => estimate.verdict.words().to_owned(),
    }
}
