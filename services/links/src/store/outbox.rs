//! What links publish: with the transaction that makes it true.

use kernel::Id;
use serde::{Deserialize, Serialize};
use storage::{OutboxEvent, Result, Tx};

/// The topic of everything that happens to links.
pub(crate) const TOPIC: &str = "links";
/// A link was made.
pub(crate) const CREATED: &str = "link.created";
/// A link was changed.
pub(crate) const CHANGED: &str = "link.changed";
/// A link was removed.
pub(crate) const DELETED: &str = "link.deleted";
/// A custom domain was added, changed or removed.
pub(crate) const DOMAIN_CHANGED: &str = "domain.changed";

/// What happened to a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkEvent {
    /// The link.
    pub(crate) id: Id,
    /// Its number.
    pub(crate) num: i64,
    /// Its version now.
    pub(crate) version: u32,
    /// Its domain; the empty text is the default one.
    pub(crate) domain: String,
    /// Its code.
    pub(crate) code: String,
    /// Where it leads.
    pub(crate) url: String,
    /// Domain and code before, if they were others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<(String, String)>,
}

/// Publishes what happened to a link.
pub(crate) async fn publish(tx: &mut Tx<'_>, kind: &str, event: &LinkEvent) -> Result<()> {
    let payload = serde_json::to_vec(event).unwrap_or_default();
    let event = OutboxEvent {
        topic: TOPIC.to_owned(),
        key: event.id.to_string(),
        kind: kind.to_owned(),
        payload,
    };
    tx.publish(&event).await.map(drop)
}

/// Publishes that a custom domain was added, changed or removed.
pub(crate) async fn publish_domain(tx: &mut Tx<'_>, host: &str) -> Result<()> {
    let event = OutboxEvent {
        topic: TOPIC.to_owned(),
        key: host.to_owned(),
        kind: DOMAIN_CHANGED.to_owned(),
        payload: serde_json::to_vec(&serde_json::json!({ "host": host })).unwrap_or_default(),
    };
    tx.publish(&event).await.map(drop)
}
