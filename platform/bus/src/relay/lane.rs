//! One lane of the relay: from one outbox to one consumer.

use std::sync::Arc;
use std::time::Duration;

use kernel::Timestamp;
use storage::{Db, Position, Tx};
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use super::Term;
use crate::Event;
use crate::carrier::{Carrier, CarrierError, Confirmed};
use crate::metrics::LaneMeters;
use crate::options::BusOptions;

/// How often a carrier that holds events is asked how far they have come.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// A batch is no larger on the wire than twice this, unless one event alone is.
const BATCH_BYTES_MAX: usize = 512 * 1024;
/// What an envelope adds, about.
const EVENT_OVERHEAD: usize = 512;
const LAG_EVERY: Duration = Duration::from_secs(1);
const LAG_MAX: u32 = 100_000;
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// One lane of the relay.
pub(crate) struct Lane {
    pub(crate) producer: Arc<str>,
    pub(crate) consumer: Arc<str>,
    pub(crate) topics: Vec<String>,
    pub(crate) db: Db,
    pub(crate) options: BusOptions,
    pub(crate) meters: LaneMeters,
    /// Used by one term at a time.
    pub(crate) carrier: Mutex<Box<dyn Carrier>>,
}

/// Where a lane is.
struct Progress {
    /// What was handed to the carrier.
    sent: Position,
    /// What the consumer has committed.
    confirmed: Position,
    /// How many events were handed over since everything was confirmed; an upper bound.
    on_the_way: u64,
    /// Everything up to here was read.
    at_end: bool,
}

impl Lane {
    /// The name of the consumer's cursor in its producer's database.
    pub(super) fn cursor(&self) -> String {
        format!("bus.{}", self.consumer)
    }

    /// Carries events until the term is over.
    pub(crate) async fn run(self: Arc<Self>, term: Term) {
        tokio::select! {
            () = self.keep_carrying(&term) => {}
            () = self.keep_measuring() => {}
            () = term.over() => {}
        }
        // Whoever leads now tells how far the consumer is behind.
        self.meters.lag_events.set(0);
        self.meters.lag_ms.set(0);
    }

    async fn keep_carrying(&self, term: &Term) {
        let mut carrier = self.carrier.lock().await;
        let mut commits = self.db.subscribe_commits();
        let mut pause = PAUSE_MIN;
        while term.lasts() {
            let Err(trouble) = self
                .carry(term, &mut **carrier, &mut commits, &mut pause)
                .await
            else {
                return;
            };
            self.meters.failures.inc();
            let (producer, consumer) = (&*self.producer, &*self.consumer);
            tracing::warn!(producer, consumer, %trouble, "a carrier failed; sending again");
            if matches!(trouble, CarrierError::Lost(_)) {
                self.meters.replays.inc();
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Measures beside the carrying, which may wait for a carrier that hangs.
    async fn keep_measuring(&self) {
        loop {
            self.measure().await;
            tokio::time::sleep(LAG_EVERY).await;
        }
    }

    /// Carries from the last confirmed position on, until the carrier fails or the term is over.
    async fn carry(
        &self,
        term: &Term,
        carrier: &mut dyn Carrier,
        commits: &mut watch::Receiver<u64>,
        pause: &mut Duration,
    ) -> Result<(), CarrierError> {
        let start = self.start().await?;
        carrier.begin(start).await?;
        let mut at = Progress {
            sent: start,
            confirmed: start,
            on_the_way: 0,
            at_end: false,
        };
        let mut asked = Instant::now();
        while term.lasts() {
            commits.mark_unchanged();
            let window = self.options.window_max.saturating_sub(at.on_the_way);
            if window > 0 {
                self.send_some(carrier, &mut at).await?;
            }
            let idle = at.at_end || window == 0;
            if at.sent > at.confirmed && (idle || asked.elapsed() >= ASK_EVERY) {
                asked = Instant::now();
                if self.confirm(carrier, &mut at).await? {
                    *pause = PAUSE_MIN;
                }
            }
            if idle {
                let waits = if at.sent > at.confirmed {
                    ASK_EVERY
                } else {
                    self.options.poll
                };
                tokio::select! {
                    _ = commits.changed(), if at.at_end => {}
                    () = tokio::time::sleep(waits) => {}
                }
            }
        }
        Ok(())
    }

    /// Where the consumer is; a consumer that is new here begins with the oldest event there is.
    /// The cursor is set at once, so that nothing is pruned before the consumer has seen it.
    async fn start(&self) -> Result<Position, CarrierError> {
        let (name, topics) = (self.cursor(), self.topics.clone());
        let start = async move |tx: &mut Tx<'_>| tx.begin_cursor(&name, &topics).await;
        self.db.write(start).await.map_err(unreadable)
    }

    async fn send_some(
        &self,
        carrier: &mut dyn Carrier,
        at: &mut Progress,
    ) -> Result<(), CarrierError> {
        let mut rows = self
            .db
            .read_outbox(at.sent, self.options.batch_max)
            .await
            .map_err(unreadable)?;
        at.at_end = rows.len() < self.options.batch_max as usize;
        let mut bytes = 0;
        let fits = rows.iter().take_while(|row| {
            bytes += row.payload.len() + EVENT_OVERHEAD;
            bytes <= BATCH_BYTES_MAX
        });
        let fits = fits.count().max(1);
        if fits < rows.len() {
            rows.truncate(fits);
            at.at_end = false;
        }
        let Some(last) = rows.last() else {
            return Ok(());
        };
        let upto = last.position;
        let events: Arc<[Event]> = rows
            .into_iter()
            .filter(|row| self.topics.contains(&row.topic))
            .map(|row| Event::of_row(&self.producer, row))
            .collect();
        if !events.is_empty() {
            carrier.send(&events).await?;
            self.meters.carried.add(events.len() as u64);
            at.on_the_way += events.len() as u64;
        }
        at.sent = upto;
        Ok(())
    }

    /// Asks how far the consumer has come, and keeps it. Answers whether it has moved.
    async fn confirm(
        &self,
        carrier: &mut dyn Carrier,
        at: &mut Progress,
    ) -> Result<bool, CarrierError> {
        let to = match carrier.confirmed().await? {
            Confirmed::All => at.sent,
            Confirmed::UpTo(position) => position,
            Confirmed::Unknown => return Ok(false),
        };
        if to <= at.confirmed {
            return Ok(false);
        }
        let name = self.cursor();
        let keep = async move |tx: &mut Tx<'_>| tx.set_cursor(&name, to).await;
        self.db.write(keep).await.map_err(unreadable)?;
        at.confirmed = to;
        let distance = u64::try_from(at.sent.0 - at.confirmed.0).unwrap_or(0);
        at.on_the_way = at.on_the_way.min(distance);
        Ok(true)
    }

    /// Sets the lag metrics from what the database says.
    async fn measure(&self) {
        let name = self.cursor();
        let lag = self
            .db
            .read(async move |tx: &mut Tx<'_>| {
                let at = tx.cursor(&name).await?.unwrap_or(Position::START);
                tx.outbox_lag(at, LAG_MAX).await
            })
            .await;
        if let Ok::<(i64, Option<Timestamp>), storage::Error>((events, oldest)) = lag {
            let age = oldest.map_or(Duration::ZERO, |at| self.db.ctx().now().since(at));
            self.meters.lag_events.set(events);
            self.meters
                .lag_ms
                .set(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        }
    }
}

fn unreadable(error: storage::Error) -> CarrierError {
    CarrierError::Unavailable(format!("the outbox cannot be read: {error}"))
}
