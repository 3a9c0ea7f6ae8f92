//! What the charts share: axes, lines, medians over trials.

use std::fmt::Write as _;

use crate::number::number;

/// Variants that have a look of their own; more share them in turns.
pub(super) const LOOKS: usize = 6;

/// From values to places on the page, in the units of the drawing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
}

impl Axis {
    /// Evenly spaced.
    pub(super) fn linear((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self {
            low,
            high,
            from,
            to,
            log: false,
        }
    }

    /// By orders of magnitude, widened to the next 1, 2 or 5; both ends have to be above zero.
    pub(super) fn log((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let low = steps(low / 10.0, low).last().copied().unwrap_or(low);
        let above = steps(high, high * 10.0);
        let mut high = above.first().copied().unwrap_or(high);
        if high <= low {
            high = low * 10.0;
        }
        Self {
            low,
            high,
            from,
            to,
            log: true,
        }
    }

    /// Where a value lies.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Where to write which value, eight at most.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let values = if self.log {
            let all = steps(self.low, self.high);
            let thinner = |values: Vec<f64>| -> Vec<f64> {
                let decades = values.into_iter();
                decades.filter(|value| is_decade(*value)).collect()
            };
            if all.len() > 8 { thinner(all) } else { all }
        } else {
            let rough = (self.high - self.low) / 5.0;
            let magnitude = 10.0_f64.powf(rough.log10().floor());
            let round = [1.0, 2.0, 5.0, 10.0];
            let step = round.iter().find(|each| *each * magnitude >= rough);
            let step = step.unwrap_or(&10.0) * magnitude;
            let first = (self.low / step).ceil() as i64;
            (first..first + 8)
                .map(|index| index as f64 * step)
                .take_while(|value| *value <= self.high * 1.000_001)
                .collect()
        };
        let label = |value: f64| {
            let text = number(value);
            match text.split_once('.') {
                Some((whole, part)) if part.trim_end_matches('0').is_empty() => whole.to_owned(),
                Some(_) => text.trim_end_matches('0').to_owned(),
                None => text,
            }
        };
        values
            .into_iter()
            .map(|value| (self.at(value), label(value)))
            .collect()
    }
}

/// The values 1, 2 and 5 times powers of ten from `low` to `high`.
fn steps(low: f64, high: f64) -> Vec<f64> {
    let first = low.log10().floor() as i32;
    let last = high.log10().ceil() as i32;
    (first..=last.min(first + 15))
        .flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10.0_f64.powi(power)))
        .filter(|value| (low * 0.999_999..=high * 1.000_001).contains(value))
        .collect()
}

fn is_decade(value: f64) -> bool {
    let power = value.log10();
    (power - power.round()).abs() < 1e-6
}

/// A line through points; it is broken where a point is missing.
pub(super) fn line(points: impl IntoIterator<Item = Option<(f64, f64)>>) -> String {
    let mut path = String::new();
    let mut pen_up = true;
    for point in points {
        match point {
            Some((x, y)) => {
                let letter = if pen_up { 'M' } else { 'L' };
                let _ = write!(path, "{letter}{x:.1} {y:.1}");
                pen_up = false;
            }
            None => pen_up = true,
        }
    }
    path
}

/// An area between two lines of points from left to right.
pub(super) fn area(upper: &[(f64, f64)], lower: &[(f64, f64)]) -> String {
    if upper.is_empty() {
        return String::new();
    }
    let around = upper.iter().chain(lower.iter().rev());
    line(around.map(|point| Some(*point))) + "Z"
}

/// The one in the middle, or the mean of the two.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        return values.get(middle).copied();
    }
    Some(f64::midpoint(
        *values.get(middle.wrapping_sub(1))?,
        *values.get(middle)?,
    ))
}

/// The lowest and the highest of what is above zero; nothing when nothing is.
pub(super) fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .filter(|value| value.is_finite() && *value > 0.0)
        .fold(None, |range: Option<(f64, f64)>, value| {
            let (low, high) = range.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        })
}

#[cfg(test)]
mod tests {
    use super::{Axis, line, median};

    #[test]
    fn axes_have_round_numbers() {
        let axis = Axis::log((1.3, 34.0), (100.0, 0.0));
        let said: Vec<String> = axis.ticks().into_iter().map(|(_, text)| text).collect();
        assert_eq!(said, ["1", "2", "5", "10", "20", "50"]);
        assert!(axis.at(50.0).abs() < 1e-9 && (axis.at(1.0) - 100.0).abs() < 1e-9);
        let axis = Axis::linear((0.0, 19.0), (0.0, 190.0));
        let said: Vec<String> = axis.ticks().into_iter().map(|(_, text)| text).collect();
        assert_eq!(said, ["0", "5", "10", "15"]);
    }

    #[test]
    fn an_axis_of_one_value_has_a_width() {
        assert!(Axis::log((1.0, 1.0), (0.0, 1.0)).at(1.0).is_finite());
        assert!(Axis::linear((3.0, 3.0), (0.0, 1.0)).at(3.0).is_finite());
    }

    #[test]
    fn a_missing_point_breaks_the_line() {
        let points = [Some((0.0, 1.0)), Some((1.0, 1.0)), None, Some((3.0, 1.0))];
        assert_eq!(line(points), "M0.0 1.0L1.0 1.0M3.0 1.0");
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0]), Some(2.0));
    }
}
