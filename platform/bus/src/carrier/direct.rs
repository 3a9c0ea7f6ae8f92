//! The carrier within one process: a call.

use std::sync::Arc;

use async_trait::async_trait;
use storage::Position;

use super::{Carrier, CarrierError, Confirmed};
use crate::Event;
use crate::inlet::Inlet;

/// Hands events to a consumer in this process; done when it has committed.
pub(crate) struct Direct(pub(crate) Arc<Inlet>);

#[async_trait]
impl Carrier for Direct {
    async fn begin(&mut self, _from: Position) -> Result<(), CarrierError> {
        Ok(())
    }

    async fn send(&mut self, events: &Arc<[Event]>) -> Result<(), CarrierError> {
        self.0
            .accept(events)
            .await
            .map_err(|e| CarrierError::Unavailable(e.to_string()))
    }

    async fn confirmed(&mut self) -> Result<Confirmed, CarrierError> {
        Ok(Confirmed::All)
    }
}
