//! Numbers of the price list, written as reports write them.

use reports::{Difference, Estimate};
pub(super) use reports::{difference_interval, interval, number};

/// The estimate itself with its unit: `1.23 ms`.
pub(super) fn value(estimate: &Estimate, unit: &str) -> String {
    let value = estimate.value.map_or_else(|| "-".to_owned(), number);
    format!("{value} {unit}").trim_end().to_owned()
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
