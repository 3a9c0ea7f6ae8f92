//! The inbox: which events a consumer has applied already.

use kernel::{Id, Timestamp};

use super::prune::prune;
use crate::{Db, Result, Sql, Tx};

const ACCEPT: Sql = Sql::both(
    "INSERT INTO platform_inbox (consumer, event_id, accepted_at) VALUES ($1, $2, $3)
     ON CONFLICT (consumer, event_id) DO NOTHING",
);
const PRUNE: Sql = Sql::both(
    "DELETE FROM platform_inbox WHERE (consumer, event_id) IN (
       SELECT consumer, event_id FROM platform_inbox WHERE accepted_at < $1
       ORDER BY accepted_at LIMIT $2)",
);

impl Tx<'_> {
    /// Notes that `consumer` applies the event in this transaction. False: it has been applied before.
    pub async fn inbox_accept(&mut self, consumer: &str, event_id: Id) -> Result<bool> {
        let now = self.now();
        Ok(self.execute(&ACCEPT, &[&consumer, &event_id, &now]).await? > 0)
    }
}

impl Db {
    /// Forgets what was applied before `before`; answers how many. Keep more than the outboxes do.
    pub async fn prune_inbox(&self, before: Timestamp) -> Result<u64> {
        prune(self, PRUNE, before).await
    }
}
