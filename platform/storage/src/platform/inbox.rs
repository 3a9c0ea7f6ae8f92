//! The inbox: which events a consumer has applied already.

use kernel::{Id, Timestamp};

use crate::{Result, Sql, Tx};

const ACCEPT: Sql = Sql::both(
    "INSERT INTO platform_inbox (consumer, event_id, accepted_at) VALUES ($1, $2, $3)
     ON CONFLICT (consumer, event_id) DO NOTHING",
);
const PRUNE: Sql = Sql::both("DELETE FROM platform_inbox WHERE accepted_at < $1");

impl Tx<'_> {
    /// Notes that `consumer` applies the event in this transaction. False: it has been applied before.
    pub async fn inbox_accept(&mut self, consumer: &str, event_id: Id) -> Result<bool> {
        let now = self.now();
        Ok(self.execute(&ACCEPT, &[&consumer, &event_id, &now]).await? > 0)
    }

    /// Forgets what was applied before `before`; answers how many. Keep more than the outboxes do.
    pub async fn prune_inbox(&mut self, before: Timestamp) -> Result<u64> {
        self.execute(&PRUNE, &[&before]).await
    }
}
