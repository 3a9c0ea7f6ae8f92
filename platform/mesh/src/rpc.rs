//! The HTTP side of contracts: `POST /rpc/<service>/<method>`. The body is the message in JSON,
//! whatever its `content-type` says; what travels with a call is in headers.

pub(crate) mod body;
mod server;
pub(crate) mod wire;

use http::HeaderName;

pub use server::RpcServer;

/// Under this prefix calls arrive.
pub const PREFIX: &str = "/rpc/";
/// How long the call is worth something from its arrival: microseconds. It holds on whatever clock the
/// callee has, so it comes before [`DEADLINE`].
pub const TIMEOUT: HeaderName = HeaderName::from_static("x-tradewind-timeout-us");
/// When the call is worth nothing any more: microseconds since the epoch, for callees that do not
/// know [`TIMEOUT`].
pub const DEADLINE: HeaderName = HeaderName::from_static("x-tradewind-deadline");
/// On whose behalf. Percent-encoded where it is not visible ASCII.
pub const CALLER: HeaderName = HeaderName::from_static("x-tradewind-caller");
/// The secret by which processes of one cluster know each other.
pub const CLUSTER: HeaderName = HeaderName::from_static("x-tradewind-cluster");
/// On an error: whose it is (`contract` or `mesh`), its code and whether it may be sent again:
/// `contract not_found never`, `mesh unavailable safe`, `contract rate_limited after=250`.
pub const ERROR: HeaderName = HeaderName::from_static("x-tradewind-error");
/// Makes a command safe to send again. Percent-encoded where it is not visible ASCII.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// W3C Trace Context.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
