//! What happened in the trials of a variant, brought together and drawn as bands and lines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::chart::{Axis, median};
use super::super::esc;
use crate::model::{MarkKind, Trial};
use crate::number::number;
use crate::words::clip;

/// Marks in a chart at most.
const SHOWN_MAX: usize = 16;

/// Rows of labels at most; further labels stand in the description only.
const ROWS_MAX: usize = 4;

/// What a character of a label takes, in units of the drawing.
const CHARACTER: f64 = 6.1;

/// A mark of several trials: when it happened in the median of them.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) from: f64,
    pub(super) to: Option<f64>,
    kind: MarkKind,
    text: String,
    /// In how many trials, of how many.
    seen: (usize, usize),
}

impl Shown {
    fn label(&self) -> String {
        let (seen, of) = self.seen;
        let text = clip(&self.text, 44);
        if seen == of {
            text
        } else {
            format!("{text} ({seen} of {of} trials)")
        }
    }

    /// As a sentence without its end.
    pub(super) fn words(&self) -> String {
        let from = number(self.from);
        match self.to {
            Some(to) => format!("{}, from {from} s to {} s", self.label(), number(to)),
            None => format!("{}, at {from} s", self.label()),
        }
    }
}

/// The same mark of several trials is one: same kind and text, and the same turn of it.
pub(super) fn of(trials: &[&Trial], end: f64) -> Vec<Shown> {
    type Times = (Vec<f64>, Vec<f64>);
    let mut found: BTreeMap<(String, usize), (MarkKind, Times)> = BTreeMap::new();
    for trial in trials {
        let mut turns: BTreeMap<&str, usize> = BTreeMap::new();
        for mark in trial.marks.iter().filter(|mark| mark.at_s.is_finite()) {
            let turn = turns.entry(&mark.text).or_default();
            let entry = found.entry((mark.text.clone(), *turn));
            let (_, (from, to)) = entry.or_insert((mark.kind, Times::default()));
            from.push(mark.at_s);
            to.extend(mark.until_s.filter(|until| until.is_finite()));
            *turn += 1;
        }
    }
    let mut shown: Vec<Shown> = found
        .into_iter()
        .filter_map(|((text, _), (kind, (mut from, mut to)))| {
            let seen = (from.len(), trials.len());
            let from = median(&mut from)?.max(0.0);
            let to = median(&mut to).map(|to| to.clamp(from, end));
            (from <= end).then_some(Shown {
                from,
                to,
                kind,
                text,
                seen,
            })
        })
        .collect();
    shown.sort_by(|a, b| a.from.total_cmp(&b.from));
    shown.truncate(SHOWN_MAX);
    shown
}

/// In which row each label stands, so that none covers another; nothing where there is no room.
fn placed(marks: &[Shown], x: &Axis) -> Vec<Option<usize>> {
    let mut free = [f64::NEG_INFINITY; ROWS_MAX];
    marks
        .iter()
        .map(|mark| {
            let (from, width) = extent(mark, x);
            let row = free.iter().position(|until| *until < from)?;
            free[row] = from + width + 10.0;
            Some(row)
        })
        .collect()
}

/// Where a label begins and how wide it is; near the right edge it ends at its mark.
fn extent(mark: &Shown, x: &Axis) -> (f64, f64) {
    let width = mark.label().chars().count() as f64 * CHARACTER + 8.0;
    let at = x.at(mark.from);
    (
        if at + width > super::RIGHT + 8.0 {
            (at - width).max(0.0)
        } else {
            at
        },
        width,
    )
}

/// How many rows the labels take.
pub(super) fn rows(marks: &[Shown], x: &Axis) -> usize {
    let rows = placed(marks, x).into_iter().flatten();
    rows.max().map_or(0, |row| row + 1)
}

/// Bands and lines from `top` to `floor`, their labels above.
pub(super) fn draw(out: &mut String, marks: &[Shown], x: &Axis, (top, floor): (f64, f64)) {
    for (mark, row) in marks.iter().zip(placed(marks, x)) {
        let class = match mark.kind {
            MarkKind::Fault => "fault",
            MarkKind::Process => "process",
            MarkKind::Knob | MarkKind::Policy | MarkKind::Load => "knob",
            MarkKind::Other => "other",
        };
        let at = x.at(mark.from);
        let line_top = row.map_or(top, |row| 6.0 + 15.0 * row as f64);
        let _ = write!(
            out,
            "<g class=\"mark {class}\"><title>{}</title>",
            esc(&mark.words())
        );
        if let Some(to) = mark.to {
            let _ = write!(
                out,
                "<rect x=\"{at:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                (x.at(to) - at).max(1.0),
                floor - top
            );
        }
        let _ = write!(out, "<path d=\"M{at:.1} {line_top:.1}V{floor:.1}\"/>");
        if row.is_some() {
            let (from, _) = extent(mark, x);
            let (place, anchor) = if from < at {
                (at - 4.0, " end")
            } else {
                (at + 4.0, "")
            };
            let _ = write!(
                out,
                "<text class=\"small{anchor}\" x=\"{place:.1}\" y=\"{:.1}\">{}</text>",
                line_top + 8.0,
                esc(&mark.label())
            );
        }
        out.push_str("</g>");
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::chart::Axis;
    use super::{of, rows};
    use crate::model::{Mark, MarkKind, Trial};

    fn trial(marks: &[(f64, &str)]) -> Trial {
        Trial {
            variant: 0,
            block: 0,
            started_at: 0,
            elapsed_s: 20.0,
            values: std::collections::BTreeMap::new(),
            latency: Vec::new(),
            seconds: Vec::new(),
            marks: marks
                .iter()
                .map(|(at_s, text)| Mark {
                    at_s: *at_s,
                    until_s: None,
                    kind: MarkKind::Other,
                    text: (*text).to_owned(),
                })
                .collect(),
            limited: None,
        }
    }

    #[test]
    fn the_same_mark_of_several_trials_is_one() {
        let trials = [
            trial(&[(5.0, "open"), (9.0, "open")]),
            trial(&[(7.0, "open"), (10.0, "closed")]),
        ];
        let trials: Vec<&Trial> = trials.iter().collect();
        let shown = of(&trials, 20.0);
        let said: Vec<String> = shown.iter().map(super::Shown::words).collect();
        assert_eq!(
            said,
            [
                "open, at 6 s",
                "open (1 of 2 trials), at 9 s",
                "closed (1 of 2 trials), at 10 s"
            ]
        );
        let x = Axis::linear((0.0, 20.0), (0.0, 200.0));
        assert_eq!(rows(&shown, &x), 3, "labels do not cover each other");
    }
}
