//! What the service hears: its own changes, on every replica, so that no cache stays behind.

use std::sync::Arc;
use std::time::Duration;

use bus::{Consumer, Event};

use crate::service::Service;
use crate::store::outbox::{CHANGED, CREATED, DELETED, DOMAIN_CHANGED, LinkEvent, TOPIC};

/// Who hears what; `shared` says whether there is a cache that replicas share.
pub(crate) fn consumers(service: &Arc<Service>, shared: bool) -> Vec<Consumer> {
    // A shared cache outlives the processes: an edit that the last of them did not tell it is told by
    // the next one. Memory begins empty.
    let replay = if shared {
        Duration::from_secs(service.config.cache_seconds)
    } else {
        Duration::ZERO
    };
    let service = Arc::clone(service);
    let listener =
        Consumer::every_replica("links.routes", &[TOPIC], move |event| hear(&service, event));
    vec![listener.hearing_again(replay)]
}

fn hear(service: &Service, event: &Event) {
    match event.kind.as_str() {
        DOMAIN_CHANGED => service.hosts.forget(),
        kind @ (CREATED | CHANGED | DELETED) => match event.json::<LinkEvent>() {
            Ok(link) => service.routes.heard(&link, kind == DELETED),
            Err(error) => {
                tracing::error!(%error, id = %event.id, "an event of links cannot be read")
            }
        },
        _ => {}
    }
}
