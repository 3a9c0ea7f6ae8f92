//! The honest design: the bus reads the outbox and applies each event once.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, BusOptions, Consumer, Event, EventHandler, HandlerError, Route, Via};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use kernel::{Ctx, Id, ManualClock, SeededRandom, Tasks, Timestamp};
use storage::Tx;
use telemetry::Metrics;

use crate::TwinError;
use crate::orders::{Databases, ORDERS, send_mail};

const CONSUMER: &str = "twin_mails.send";
const DRAINED_WITHIN_S: u64 = 60;

struct SendMail;

impl EventHandler for SendMail {
    fn handle<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        event: &'a Event,
    ) -> LocalBoxFuture<'a, Result<(), HandlerError>> {
        async move {
            let id: Id = event.json()?;
            Ok(send_mail(tx, id).await?)
        }
        .boxed_local()
    }
}

/// Relays events from the orders to the mails, from where it was left, until the tasks end.
pub(crate) async fn relay(databases: &Databases, tasks: &Tasks) -> Result<(), TwinError> {
    // The lease of the relay goes by an id that a bus draws. Only one worker runs at a time, and it
    // goes on in the place of the one that was killed instead of waiting until that one's lease ends.
    let same = Ctx {
        clock: Arc::new(ManualClock::at(Timestamp::default())),
        random: Arc::new(SeededRandom::new(0)),
    };
    let bus = Bus::new(&same, Metrics::new(), tasks.clone(), BusOptions::default());
    let consumer = Consumer::group(CONSUMER, &[ORDERS], SendMail);
    bus.host(&databases.mails, &[consumer]).await?;
    let route = Route {
        consumer: CONSUMER.to_owned(),
        topics: vec![ORDERS.to_owned()],
        via: Via::Here,
    };
    bus.relay(&databases.orders, vec![route])?;
    Ok(())
}

/// Waits until the consumer has confirmed the last event.
pub(crate) async fn drained(databases: &Databases) -> Result<(), TwinError> {
    let behind = async || {
        let ask = async |tx: &mut Tx<'_>| {
            let confirmed = tx.cursor(&format!("bus.{CONSUMER}")).await?;
            let end = tx.outbox_end().await?;
            Ok::<_, storage::Error>(confirmed.is_none_or(|at| at < end))
        };
        databases.orders.read(ask).await
    };
    let wait = async {
        while behind().await? {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok::<_, TwinError>(())
    };
    let within = Duration::from_secs(DRAINED_WITHIN_S);
    let waited = tokio::time::timeout(within, wait).await;
    waited.unwrap_or(Err(TwinError::Undelivered(DRAINED_WITHIN_S)))
}
