//! Deletes events that are old and that every consumer has committed.

use std::time::Duration;

use storage::{Position, Tx};
use tokio::time::Instant;

use super::Relay;

/// How often old events are looked for.
const EVERY: Duration = Duration::from_secs(60);
/// How many events are looked at in one transaction.
const CHUNK_MAX: u32 = 2_000;

/// Prunes the outbox of one relay.
pub(super) struct Pruner<'r> {
    relay: &'r Relay,
    /// None: there may be more.
    done: Option<Instant>,
}

impl<'r> Pruner<'r> {
    pub(super) const fn new(relay: &'r Relay) -> Self {
        Self { relay, done: None }
    }

    pub(super) fn is_due(&self) -> bool {
        self.done.is_none_or(|done| done.elapsed() > EVERY)
    }

    /// Deletes what is old, for so short a time that the lease is renewed in time.
    pub(super) async fn work(&mut self) {
        let began = Instant::now();
        self.done = None;
        while began.elapsed() < self.relay.options.lease / 8 {
            match self.chunk().await {
                Ok(deleted) if deleted == u64::from(CHUNK_MAX) => {}
                Ok(_) => {
                    self.done = Some(Instant::now());
                    return;
                }
                Err(error) => {
                    let producer = self.relay.db.schema();
                    tracing::warn!(producer, %error, "cannot prune the outbox");
                    self.done = Some(Instant::now());
                    return;
                }
            }
        }
    }

    async fn chunk(&self) -> Result<u64, storage::Error> {
        let Relay {
            db, options, lanes, ..
        } = self.relay;
        let before = db.ctx().now().minus(options.keep);
        let readers: Vec<String> = lanes.iter().map(|lane| lane.cursor()).collect();
        let prune = async move |tx: &mut Tx<'_>| {
            let mut upto = tx.outbox_end().await?;
            for reader in &readers {
                let at = tx.cursor(reader).await?;
                upto = upto.min(at.unwrap_or(Position::START));
            }
            tx.prune_outbox(before, upto, CHUNK_MAX).await
        };
        db.write(prune).await
    }
}
