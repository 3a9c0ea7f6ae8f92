//! Leases: one of several replicas does a job for a while.

use std::time::Duration;

use kernel::Timestamp;

use crate::{Result, Sql, Tx};

/// A lease that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What is leased.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// Until when, by the clock of the holder.
    pub until: Timestamp,
    /// Grows each time the lease passes to another holder: a write that carries an older one is late.
    pub fence: i64,
}

/// The condition stands in the update itself, so that it is checked under the lock of the row.
/// A lease that ends later than any claim could make it was left by a clock that has been set back.
const CLAIM: Sql = Sql::both(
    "INSERT INTO platform_leases (name, holder, until_at, fence) VALUES ($1, $2, $3, 1)
     ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_at = excluded.until_at,
       fence = platform_leases.fence
         + CASE WHEN platform_leases.holder = excluded.holder AND platform_leases.until_at > $4
           THEN 0 ELSE 1 END
     WHERE platform_leases.until_at <= $4 OR platform_leases.until_at > $5
       OR platform_leases.holder = excluded.holder
     RETURNING fence",
);
const RELEASE: Sql = Sql::both(
    "UPDATE platform_leases SET until_at = 0 WHERE name = $1 AND holder = $2 AND fence = $3",
);
const HELD: Sql = Sql::both(
    "SELECT holder, until_at, fence FROM platform_leases WHERE name = $1 AND until_at > $2",
);

impl Tx<'_> {
    /// Takes or renews the lease `name` for `ttl`; none while another holds it. Whoever claims a name
    /// claims it for the same time.
    pub async fn claim_lease(
        &mut self,
        name: &str,
        holder: &str,
        ttl: Duration,
    ) -> Result<Option<Lease>> {
        let now = self.now();
        let (until, never) = (now.plus(ttl), now.plus(ttl * 2));
        let row = self
            .query_opt(&CLAIM, &[&name, &holder, &until, &now, &never])
            .await?;
        row.map(|row| {
            let fence = row.get(0)?;
            Ok(Lease {
                name: name.to_owned(),
                holder: holder.to_owned(),
                until,
                fence,
            })
        })
        .transpose()
    }

    /// Gives the lease back. False: it is not held any more.
    pub async fn release_lease(&mut self, lease: &Lease) -> Result<bool> {
        let (name, holder) = (lease.name.as_str(), lease.holder.as_str());
        Ok(self
            .execute(&RELEASE, &[&name, &holder, &lease.fence])
            .await?
            > 0)
    }

    /// Who holds the lease now.
    pub async fn lease_holder(&mut self, name: &str) -> Result<Option<Lease>> {
        let now = self.now();
        let row = self.query_opt(&HELD, &[&name, &now]).await?;
        row.map(|row| {
            Ok(Lease {
                name: name.to_owned(),
                holder: row.get(0)?,
                until: row.get(1)?,
                fence: row.get(2)?,
            })
        })
        .transpose()
    }
}
