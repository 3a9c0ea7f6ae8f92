//! Knob settings that survive a restart and are shared by the replicas of a service.

use kernel::Timestamp;

use crate::{Result, Sql, Tx};

/// A knob that was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnobRow {
    /// Its name within the service.
    pub name: String,
    /// The setting.
    pub value: String,
    /// When it was set.
    pub changed_at: Timestamp,
    /// How often it was set.
    pub version: i64,
}

const LIST: Sql =
    Sql::both("SELECT name, value, changed_at, version FROM platform_knobs ORDER BY name");
const SET: Sql = Sql::both(
    "INSERT INTO platform_knobs (name, value, changed_at, version) VALUES ($1, $2, $3, 1)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at,
       version = platform_knobs.version + 1
     RETURNING version",
);

impl Tx<'_> {
    /// Every knob that was ever set.
    pub async fn knobs(&mut self) -> Result<Vec<KnobRow>> {
        let rows = self.query(&LIST, &[]).await?;
        rows.iter()
            .map(|row| {
                Ok(KnobRow {
                    name: row.get(0)?,
                    value: row.get(1)?,
                    changed_at: row.get(2)?,
                    version: row.get(3)?,
                })
            })
            .collect()
    }

    /// Keeps the setting of a knob; answers how often it was set by now.
    pub async fn set_knob(&mut self, name: &str, value: &str) -> Result<i64> {
        let now = self.now();
        self.query_one(&SET, &[&name, &value, &now]).await?.get(0)
    }
}
