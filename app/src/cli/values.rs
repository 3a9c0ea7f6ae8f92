//! Values of flags as people write them: times, headers, spikes.

use std::time::Duration;

use ::load::Spike;
use http::{HeaderName, HeaderValue};

/// `name: value`, as in a request.
pub(super) fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let malformed = || "write 'NAME: VALUE'".to_owned();
    let (name, value) = text.split_once(':').ok_or_else(malformed)?;
    let name = name.trim().parse().map_err(|_| malformed())?;
    let mut value = HeaderValue::from_str(value.trim()).map_err(|_| malformed())?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// `1000@5+2`: 1,000 a second from second 5 on, for 2 s.
pub(super) fn spike(text: &str) -> Result<Spike, String> {
    let parts = text.split_once('@').and_then(|(rate, when)| {
        let (at, lasts) = when.split_once('+')?;
        let (at, lasts) = (seconds(at).ok()?, seconds(lasts).ok()?);
        Some(Spike {
            rate: rate.parse().ok()?,
            at,
            lasts,
        })
    });
    parts
        .filter(|spike| !spike.lasts.is_zero())
        .ok_or_else(|| "write RATE@START+LENGTH in seconds, such as 1000@5+2".to_owned())
}

/// `10`, `2.5`, `10s`, `300ms`, `5m`, `1h`.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[number.len()..] {
        "" | "s" => 1.0,
        "ms" => 1e-3,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => f64::NAN,
    };
    let value = number.parse::<f64>().unwrap_or(f64::NAN) * unit;
    Duration::try_from_secs_f64(value)
        .ok()
        .filter(|time| *time <= ::load::DURATION_MAX)
        .ok_or_else(|| "write a time up to a day, such as 10s, 300ms or 5m".to_owned())
}
