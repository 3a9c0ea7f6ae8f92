//! Numbers as people read them.

use crate::estimate::{Difference, Estimate};

/// Three significant digits, thousands apart: `0.0123`, `4.57`, `18.2`, `20,300`.
#[must_use]
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "?".to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if magnitude >= 3 {
        let step = 10.0_f64.powi(magnitude - 2);
        return grouped((value / step).round() * step);
    }
    if magnitude < -6 {
        return format!("{value:.0e}");
    }
    if value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    // Rounding may carry into one more digit: 9.999 is 10.0, not 10.00.
    let carried = format!("{:.2e}", value.abs());
    let magnitude = carried
        .rsplit_once('e')
        .map_or(magnitude, |(_, e)| e.parse().unwrap_or(magnitude));
    match usize::try_from(2 - magnitude) {
        Ok(decimals) => format!("{value:.decimals$}"),
        Err(_) => grouped(value),
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::new();
    if value < 0.0 {
        out.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share as a percentage: `4.2 %`.
pub(crate) fn percent(share: f64) -> String {
    let percents = share * 100.0;
    let decimals = if percents.abs() < 10.0 { 1 } else { 0 };
    format!("{percents:.decimals$} %")
}

/// The estimate alone: `12.3`, or a dash.
pub(crate) fn value(estimate: &Estimate) -> String {
    estimate.value.map_or_else(|| "-".to_owned(), number)
}

/// Its interval: `12.1 to 12.6`, or a dash.
#[must_use]
pub fn interval(estimate: &Estimate) -> String {
    match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => format!("{} to {}", number(low), number(high)),
        _ => "-".to_owned(),
    }
}

/// A difference: `x1.52` or `+3.4`.
pub(crate) fn difference(difference: &Difference) -> String {
    let value = number(difference.value);
    match (difference.as_ratio, difference.value > 0.0) {
        (true, _) => format!("x{value}"),
        (false, true) => format!("+{value}"),
        (false, false) => value,
    }
}

/// The interval of a difference: `1.4 to 1.7`.
#[must_use]
pub fn difference_interval(difference: &Difference) -> String {
    format!("{} to {}", number(difference.low), number(difference.high))
}

/// A time in seconds: `48 s`, `3 min 20 s`.
pub(crate) fn seconds(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 60, whole % 60) {
        (0, _) if seconds < 10.0 => format!("{} s", number(seconds)),
        (0, rest) => format!("{rest} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, rest) => format!("{minutes} min {rest} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::{number, percent, seconds};

    #[test]
    fn numbers_have_three_digits() {
        let said = [
            0.0, 0.012_345, 4.567, 18.24, 182.4, 20_345.0, -1_234.5, 1.0, 9.999, 999.9,
        ]
        .map(number);
        let want = [
            "0", "0.0123", "4.57", "18.2", "182", "20,300", "-1,230", "1", "10.0", "1,000",
        ];
        assert_eq!(said, want);
        assert_eq!(percent(0.042), "4.2 %");
        assert_eq!(
            [seconds(4.25), seconds(48.0), seconds(200.0)],
            ["4.25 s", "48 s", "3 min 20 s"]
        );
    }
}
