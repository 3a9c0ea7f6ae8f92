//! A fault as it is written: one flat table, in which an unknown name is refused with the nearest.

use std::fmt;

use kernel::{Code, nearest};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The fields as they are written.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Flat {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seam: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) effect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replica: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) caller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) jitter_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes_per_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) probability: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_hits: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttl_ms: Option<u64>,
}

const FIELDS: &[&str] = &[
    "seam",
    "effect",
    "service",
    "replica",
    "caller",
    "method",
    "ms",
    "jitter_ms",
    "code",
    "bytes_per_s",
    "probability",
    "seed",
    "max_hits",
    "ttl_ms",
];

impl<'de> Deserialize<'de> for Flat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A map and no struct, so that a fault can stand flat in a larger table.
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Flat;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault: seam, effect, ttl_ms and what it strikes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Flat, A::Error> {
        let mut flat = Flat::default();
        while let Some(Field(field)) = map.next_key()? {
            match field {
                "seam" => once(field, &mut flat.seam, &mut map)?,
                "effect" => once(field, &mut flat.effect, &mut map)?,
                "service" => once(field, &mut flat.service, &mut map)?,
                "replica" => once(field, &mut flat.replica, &mut map)?,
                "caller" => once(field, &mut flat.caller, &mut map)?,
                "method" => once(field, &mut flat.method, &mut map)?,
                "ms" => once(field, &mut flat.ms, &mut map)?,
                "jitter_ms" => once(field, &mut flat.jitter_ms, &mut map)?,
                "code" => once(field, &mut flat.code, &mut map)?,
                "bytes_per_s" => once(field, &mut flat.bytes_per_s, &mut map)?,
                "probability" => once(field, &mut flat.probability, &mut map)?,
                "seed" => once(field, &mut flat.seed, &mut map)?,
                "max_hits" => once(field, &mut flat.max_hits, &mut map)?,
                _ => once(field, &mut flat.ttl_ms, &mut map)?,
            }
        }
        Ok(flat)
    }
}

fn once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    field: &'static str,
    slot: &mut Option<T>,
    map: &mut A,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(de::Error::duplicate_field(field));
    }
    *slot = map.next_value()?;
    Ok(())
}

/// The name of a field.
struct Field(&'static str);

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(FieldName)
    }
}

struct FieldName;

impl Visitor<'_> for FieldName {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field of a fault")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Field, E> {
        if let Some(field) = FIELDS.iter().find(|field| **field == name) {
            return Ok(Field(field));
        }
        let hint = match nearest(name, FIELDS.iter().copied()).first() {
            Some(near) => format!("did you mean {near}?"),
            None => format!("there are {}", FIELDS.join(", ")),
        };
        Err(E::custom(format!("a fault has no field '{name}'; {hint}")))
    }
}
