//! The seam of faults around a carrier: what is late, refused, lost or doubled on the way.

use std::sync::Arc;

use async_trait::async_trait;
use faults::{Effect, Facts, Faults, Seam};
use storage::Position;

use super::{Carrier, CarrierError, Confirmed};
use crate::Event;

/// Whose events go where, as faults select them.
pub(crate) struct Way {
    pub(crate) faults: Faults,
    /// The service that published them.
    pub(crate) service: Arc<str>,
    pub(crate) consumer: Arc<str>,
}

/// A carrier whose batches faults strike.
pub(crate) struct Faulty {
    inner: Box<dyn Carrier>,
    way: Way,
}

impl Faulty {
    pub(crate) fn around(inner: Box<dyn Carrier>, way: Way) -> Box<dyn Carrier> {
        Box::new(Self { inner, way })
    }
}

#[async_trait]
impl Carrier for Faulty {
    async fn begin(&mut self, from: Position) -> Result<(), CarrierError> {
        self.inner.begin(from).await
    }

    async fn send(&mut self, events: &Arc<[Event]>) -> Result<(), CarrierError> {
        if !self.way.faults.any(Seam::Events) {
            return self.inner.send(events).await;
        }
        let facts = Facts {
            service: Some(&self.way.service),
            method: Some(&self.way.consumer),
            ..Facts::default()
        };
        let mut twice = false;
        for hit in self.way.faults.hits(Seam::Events, facts) {
            let id = hit.id();
            match hit.effect() {
                Effect::Error { code } => {
                    let text = format!("fault '{id}' refused a batch: {}", code.name());
                    return Err(CarrierError::Unavailable(text));
                }
                Effect::Drop => {
                    let text = format!("fault '{id}' lost a batch on the way");
                    return Err(CarrierError::Lost(text));
                }
                Effect::Duplicate => twice = true,
                _ => hit.hold_up().await,
            }
        }
        self.inner.send(events).await?;
        if twice {
            self.inner.send(events).await?;
        }
        Ok(())
    }

    async fn confirmed(&mut self) -> Result<Confirmed, CarrierError> {
        self.inner.confirmed().await
    }
}
