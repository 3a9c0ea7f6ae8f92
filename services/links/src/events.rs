//! What the service hears: its own changes, on every replica, so that no cache stays behind.

use std::sync::Arc;

use bus::{Consumer, Event};

use crate::service::Service;
use crate::store::outbox::{CHANGED, CREATED, DELETED, DOMAIN_CHANGED, LinkEvent, TOPIC};

/// Who hears what.
pub(crate) fn consumers(service: &Arc<Service>) -> Vec<Consumer> {
    let service = Arc::clone(service);
    vec![Consumer::every_replica(
        "links.routes",
        &[TOPIC],
        move |event| hear(&service, event),
    )]
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
