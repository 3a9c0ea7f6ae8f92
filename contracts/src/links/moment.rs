//! A moment as people read it: RFC 3339 in UTC, to the millisecond.

use std::fmt;
use std::str::FromStr;

use kernel::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

const DAY_MS: i64 = 86_400_000;

/// A moment, written as `2026-11-23T13:28:01.000Z`. Read with any offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(pub Timestamp);

/// The text is not a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is written as 2026-11-23T13:28:01Z (RFC 3339, years 0000 to 9999)")]
pub struct MomentError;

impl Moment {
    /// The first moment of the year 0000, in milliseconds.
    const FIRST_MS: i64 = -62_167_219_200_000;
    /// The last moment of the year 9999, in milliseconds.
    const LAST_MS: i64 = 253_402_300_799_999;
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.millis().clamp(Self::FIRST_MS, Self::LAST_MS);
        let (days, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
        let (year, month, day) = civil_of_days(days);
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        let (second, milli) = (rest / 1_000 % 60, rest % 1_000);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
        )
    }
}

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        let bytes = text.as_bytes();
        if !text.is_ascii() || bytes.len() < 20 || bytes.len() > 40 {
            return Err(MomentError);
        }
        let shape = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
        let joined = matches!(bytes[10], b'T' | b't' | b' ');
        if !joined || shape.iter().any(|(at, wanted)| bytes[*at] != *wanted) {
            return Err(MomentError);
        }
        let (year, month, day) = (
            digits(text, 0, 4)?,
            digits(text, 5, 2)?,
            digits(text, 8, 2)?,
        );
        let (hour, minute, second) = (
            digits(text, 11, 2)?,
            digits(text, 14, 2)?,
            digits(text, 17, 2)?,
        );
        let sane = (1..=12).contains(&month)
            && day >= 1
            && day <= days_in_month(year, month)
            && hour < 24
            && minute < 60
            && second <= 60;
        if !sane {
            return Err(MomentError);
        }
        let (micros, zone) = fraction(&text[19..])?;
        let offset_minutes = offset(zone)?;
        let seconds =
            days_of_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second.min(59)
                - offset_minutes * 60;
        let at = Timestamp(seconds * 1_000_000 + micros);
        let range = Self::FIRST_MS..=Self::LAST_MS;
        if range.contains(&at.millis()) {
            Ok(Self(at))
        } else {
            Err(MomentError)
        }
    }
}

fn digits(text: &str, at: usize, count: usize) -> Result<i64, MomentError> {
    let part = text.get(at..at + count).ok_or(MomentError)?;
    if part.bytes().all(|b| b.is_ascii_digit()) {
        part.parse().map_err(|_| MomentError)
    } else {
        Err(MomentError)
    }
}

/// The microseconds of `.123`, and what follows.
fn fraction(rest: &str) -> Result<(i64, &str), MomentError> {
    let Some(tail) = rest.strip_prefix('.') else {
        return Ok((0, rest));
    };
    let end = tail
        .find(|c: char| !c.is_ascii_digit())
        .ok_or(MomentError)?;
    if end == 0 {
        return Err(MomentError);
    }
    let six: String = tail[..end]
        .chars()
        .chain("000000".chars())
        .take(6)
        .collect();
    Ok((six.parse().map_err(|_| MomentError)?, &tail[end..]))
}

/// Minutes east of UTC.
fn offset(zone: &str) -> Result<i64, MomentError> {
    if zone == "Z" || zone == "z" {
        return Ok(0);
    }
    let sign = match zone.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return Err(MomentError),
    };
    if zone.len() != 6 || zone.as_bytes()[3] != b':' {
        return Err(MomentError);
    }
    let (hours, minutes) = (digits(zone, 1, 2)?, digits(zone, 4, 2)?);
    if hours < 24 && minutes < 60 {
        Ok(sign * (hours * 60 + minutes))
    } else {
        Err(MomentError)
    }
}

/// Howard Hinnant's algorithm: days since 1970-01-01 of a date.
fn days_of_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The other way round.
fn civil_of_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A moment (RFC 3339)."))
            .into()
    }
}

impl utoipa::ToSchema for Moment {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for ms in [0, 951_782_399_999, 951_868_800_000, 4_102_444_800_001, -1] {
            let moment = Moment(Timestamp::from_millis(ms));
            assert_eq!(moment.to_string().parse(), Ok(moment), "{moment}");
        }
        assert_eq!(Moment::default().to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn an_offset_is_taken_into_account() {
        let east: Moment = "2026-11-23T14:28:01.5+01:00".parse().expect("a time");
        assert_eq!(east.to_string(), "2026-11-23T13:28:01.500Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "2026-02-29T00:00:00Z",
            "2026-11-23",
            "2026-11-23T24:00:00Z",
            "2026-11-23T13:28:01",
            "2026-11-23T13:28:01.Z",
            "2026-11-23T13:28:01+1:00",
        ] {
            assert_eq!(bad.parse::<Moment>(), Err(MomentError), "{bad}");
        }
    }
}
