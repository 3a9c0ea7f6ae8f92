//! Every replica hears: each reads the outbox itself, so that no carrier stands in between.

use std::time::Duration;

use kernel::Tasks;
use storage::{Db, Dialect, Position, Tx};

use crate::{Event, Listener};

const BATCH_MAX: u32 = 512;
/// On PostgreSQL a transaction may commit below the newest number; begin so far before it.
const REWIND: i64 = 2_048;
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A listener to some topics of one outbox.
pub(crate) struct Tail {
    pub(crate) name: &'static str,
    pub(crate) topics: &'static [&'static str],
    pub(crate) listener: Listener,
    pub(crate) producer: String,
    pub(crate) db: Db,
    pub(crate) poll: Duration,
}

impl Tail {
    /// Where to begin: nothing that commits from now on is missed.
    pub(crate) async fn begin(&self) -> Result<Position, storage::Error> {
        let end = async move |tx: &mut Tx<'_>| tx.outbox_end().await;
        let end = self.db.read::<_, storage::Error, _>(end).await?;
        Ok(match self.db.dialect() {
            Dialect::Sqlite => end,
            Dialect::Postgres => Position((end.0 - REWIND).max(0)),
        })
    }

    /// Listens from `at` until the tasks end.
    pub(crate) async fn run(self, mut at: Position, tasks: Tasks) {
        let mut commits = self.db.subscribe_commits();
        let mut pause = self.poll;
        while !tasks.is_stopping() {
            commits.mark_unchanged();
            match self.db.read_outbox(at, BATCH_MAX).await {
                Ok(rows) => {
                    pause = self.poll;
                    let more = rows.len() == BATCH_MAX as usize;
                    for row in rows {
                        at = row.position;
                        if self.topics.contains(&row.topic.as_str()) {
                            (self.listener)(&Event::of_row(&self.producer, row));
                        }
                    }
                    if more {
                        continue;
                    }
                }
                Err(error) => {
                    tracing::warn!(consumer = self.name, %error, "cannot read the outbox");
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
            tokio::select! {
                _ = commits.changed() => {}
                () = tokio::time::sleep(pause) => {}
                () = tasks.stopping() => {}
            }
        }
    }
}
