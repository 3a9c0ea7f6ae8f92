//! Numbers of the price list, written as reports write them.

use reports::{Difference, Estimate};

/// Three significant digits, thousands apart: `0.0123`, `4.57`, `18.2`, `20,300`.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "?".to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    // Rounded first: 9.999 is 10.0, not 10.00.
    let rounded = format!("{:.2e}", value.abs());
    let (digits, exponent) = rounded.split_once('e').unwrap_or((&rounded, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if value < 0.0 { "-" } else { "" };
    if exponent >= 3 {
        let whole = digits.parse().unwrap_or(0.0) * 10.0_f64.powi(exponent);
        return format!("{sign}{}", grouped(&format!("{whole:.0}")));
    }
    if exponent < -6 {
        return format!("{value:.0e}");
    }
    let decimals = usize::try_from(2 - exponent).unwrap_or(0);
    format!("{value:.decimals$}")
}

fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The estimate itself with its unit: `1.23 ms`.
pub(super) fn value(estimate: &Estimate, unit: &str) -> String {
    let value = estimate.value.map_or_else(|| "-".to_owned(), number);
    format!("{value} {unit}").trim_end().to_owned()
}

/// Its interval: `1.20 to 1.26`.
pub(super) fn interval(estimate: &Estimate) -> String {
    match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => format!("{} to {}", number(low), number(high)),
        _ => "-".to_owned(),
    }
}

/// How far from the default: `x1.52`, or `+340 B` for what is added.
pub(super) fn difference(difference: &Difference, unit: &str) -> String {
    let value = number(difference.value);
    match (difference.as_ratio, difference.value > 0.0) {
        (true, _) => format!("x{value}"),
        (false, true) => format!("+{value} {unit}").trim_end().to_owned(),
        (false, false) => format!("{value} {unit}").trim_end().to_owned(),
    }
}

/// The interval of a difference: `1.40 to 1.70`.
pub(super) fn difference_interval(difference: &Difference) -> String {
    format!("{} to {}", number(difference.low), number(difference.high))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_have_three_digits() {
        let said = [
            0.0, 0.012_345, 4.567, 9.999, 182.4, 999.9, 20_345.0, -1_234.5,
        ]
        .map(number);
        let want = [
            "0", "0.0123", "4.57", "10.0", "182", "1,000", "20,300", "-1,230",
        ];
        assert_eq!(said, want);
    }
}
