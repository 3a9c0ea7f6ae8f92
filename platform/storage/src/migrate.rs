//! Migrations: numbered SQL, applied once each, in order, by whichever process comes first.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::{Db, Dialect, Error, ErrorKind, Result, Sql, Tx};

/// One step of a schema, for both engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Its number: 1, 2, 3, ...
    pub version: u32,
    /// A few words.
    pub name: &'static str,
    /// What SQLite runs.
    pub sqlite: &'static str,
    /// What PostgreSQL runs.
    pub postgres: &'static str,
}

/// How long to wait for another process that migrates the same SQLite file.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// The platform's own tables.
const PLATFORM: &[Migration] = &[
    Migration {
        version: 1,
        name: "platform",
        sqlite: include_str!("platform/migrations/sqlite/0001_platform.sql"),
        postgres: include_str!("platform/migrations/postgres/0001_platform.sql"),
    },
    Migration {
        version: 2,
        name: "parked",
        sqlite: include_str!("platform/migrations/sqlite/0002_parked.sql"),
        postgres: include_str!("platform/migrations/postgres/0002_parked.sql"),
    },
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS platform_migrations (
  scope TEXT NOT NULL,
  version BIGINT NOT NULL,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at BIGINT NOT NULL,
  PRIMARY KEY (scope, version)
)";
const APPLIED: Sql = Sql::both(
    "SELECT version, name, checksum FROM platform_migrations WHERE scope = $1 ORDER BY version",
);
const NOTE: Sql = Sql::both(
    "INSERT INTO platform_migrations (scope, version, name, checksum, applied_at)
     VALUES ($1, $2, $3, $4, $5)",
);

impl Db {
    /// Brings the schema up to date: the platform's tables, then `migrations`.
    ///
    /// Several processes may do this at once: the others wait, up to ten minutes on SQLite. A
    /// migration whose text was changed after it was applied is refused; versions that only the
    /// database knows are left alone, so that an older program runs on beside a newer one.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<()> {
        in_order(migrations)?;
        let end = Instant::now() + WAIT_MAX;
        loop {
            match self.migrate_once(migrations).await {
                Err(busy) if *busy.kind() == ErrorKind::Busy && Instant::now() < end => {
                    let schema = self.schema();
                    tracing::info!(
                        schema,
                        "another process writes, perhaps a long migration; waiting"
                    );
                }
                done => return done,
            }
        }
    }

    async fn migrate_once(&self, migrations: &[Migration]) -> Result<()> {
        let migrations = migrations.to_vec();
        let schema = self.schema().to_owned();
        self.write_long(async move |tx| {
            if tx.dialect() == Dialect::Postgres {
                // The lock is held to the end of the transaction; the others wait here.
                tx.batch(&format!(
                    "SELECT pg_advisory_xact_lock(hashtext('tradewind migrations'), hashtext('{schema}'));
                     CREATE SCHEMA IF NOT EXISTS \"{schema}\""
                ))
                .await?;
            }
            tx.batch(TABLE).await?;
            apply(tx, "platform", PLATFORM).await?;
            apply(tx, "service", &migrations).await
        })
        .await
    }
}

async fn apply(tx: &mut Tx<'_>, scope: &str, migrations: &[Migration]) -> Result<()> {
    let rows = tx.query(&APPLIED, &[&scope]).await?;
    let mut newest = 0;
    for row in &rows {
        let (version, name, checksum): (u32, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        newest = newest.max(version);
        let Some(own) = migrations.iter().find(|m| m.version == version) else {
            tracing::warn!(
                scope,
                version,
                name,
                "the database has a migration of a newer program"
            );
            continue;
        };
        let found = own.checksum(tx.dialect());
        if found != checksum {
            return Err(Error::new(
                ErrorKind::Migration,
                format!(
                    "migration {version} '{name}' was changed after it was applied (applied {}, now \
                     {}); restore its text and put the change into a new migration",
                    &checksum[..12.min(checksum.len())],
                    &found[..12]
                ),
            ));
        }
    }
    let known: Vec<u32> = rows.iter().filter_map(|row| row.get(0).ok()).collect();
    for step in migrations.iter().filter(|m| !known.contains(&m.version)) {
        let (version, name) = (step.version, step.name);
        if version < newest {
            return Err(Error::new(
                ErrorKind::Migration,
                format!(
                    "migration {version} '{name}' comes after {newest} was applied; give it a higher number"
                ),
            ));
        }
        tx.batch(step.text(tx.dialect())).await.map_err(|e| {
            Error::new(
                e.kind().clone(),
                format!("migration {version} '{name}' failed: {e}"),
            )
        })?;
        let now = tx.now();
        tx.execute(
            &NOTE,
            &[&scope, &version, &name, &step.checksum(tx.dialect()), &now],
        )
        .await?;
    }
    Ok(())
}

impl Migration {
    const fn text(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }

    fn checksum(&self, dialect: Dialect) -> String {
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(self.text(dialect).as_bytes()) {
            write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
        }
        hex
    }
}

fn in_order(migrations: &[Migration]) -> Result<()> {
    for (step, expected) in migrations.iter().zip(1_u32..) {
        if step.version != expected {
            let (version, name) = (step.version, step.name);
            return Err(Error::new(
                ErrorKind::Migration,
                format!(
                    "migration {version} '{name}' stands where {expected} should; number them 1, 2, 3, ..."
                ),
            ));
        }
    }
    Ok(())
}
