//! Every replica hears: each reads the outbox itself, so that no carrier stands in between.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use kernel::Tasks;
use storage::{Db, Position, Tx};

use crate::{Event, Listener};

const BATCH_MAX: u32 = 512;
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A listener to some topics of one outbox.
pub(crate) struct Tail {
    pub(crate) name: &'static str,
    pub(crate) topics: &'static [&'static str],
    pub(crate) listener: Listener,
    pub(crate) producer: String,
    pub(crate) db: Db,
    pub(crate) poll: Duration,
    pub(crate) replay: Duration,
}

impl Tail {
    /// Where to start: where nothing is missed that commits from now on, or before what is to be
    /// heard again.
    pub(crate) async fn start(&self) -> Result<Position, storage::Error> {
        let edge = self.db.outbox_edge().await?;
        if self.replay.is_zero() {
            return Ok(edge);
        }
        let from = self.db.ctx().now().minus(self.replay);
        let since = async move |tx: &mut Tx<'_>| tx.outbox_since(from).await;
        let since = self.db.read::<_, storage::Error, _>(since).await?;
        Ok(since.min(edge))
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
                            self.tell(&Event::of_row(&self.producer, row));
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

    /// A listener that panics misses this event, and hears the next one.
    fn tell(&self, event: &Event) {
        let telling = AssertUnwindSafe(|| (self.listener)(event));
        if std::panic::catch_unwind(telling).is_err() {
            let (consumer, id) = (self.name, event.id);
            tracing::error!(consumer, %id, "the listener panicked; it missed this event");
        }
    }
}
