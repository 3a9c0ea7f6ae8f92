//! HTTP glue: bodies, handlers, the server, problem details, extractors, callers.
//!
//! A [`Handler`] answers a [`Request`] without knowing of sockets, so the same service is reached
//! by a listener of its own ([`serve`]) or by a call in the same process.
//! [`Ingress`] is the one seam where a caller's identity enters.

mod access;
mod api;
mod asset;
mod body;
mod extract;
mod feed;
mod handler;
mod hex;
mod idempotency;
mod ingress;
mod keys;
mod leaving;
mod may;
mod meta;
mod mutation;
mod openapi;
mod problem;
mod server;
mod sse;
mod struck;

pub use access::{AccessLog, Red};
pub use api::{IDEMPOTENCY_KEY, api, described, method_not_allowed};
pub use asset::{Asset, Assets, CONTENT_SECURITY_POLICY};
pub use body::{Body, BodyError, BoxError, Request, Response, read_body};
pub use extract::{Json, Paging, Path, Query};
pub use feed::{Feed, FeedError, LastEventId, Polled};
pub use handler::{Handler, RouteSpec, from_fn, from_router};
pub use hex::hex;
pub use idempotency::IdempotencyKey;
pub use ingress::{ClusterSecret, Ingress, Network, NetworkError, Seen, headers};
pub use keys::{Keys, KeysError, NewKey, StoredKey};
pub use leaving::{Leave, Leaving};
pub use may::{ADMIN, Admin, May, Public, Refused, Scope, require};
pub use meta::{ClientAddr, Meta, RequestId};
pub use mutation::{FromBody, Mutation};
pub use openapi::openapi_json;
pub use problem::{ProblemReply, problem};
pub use server::{Drained, Running, Server, ServerLimits, Slot, accept, leftover, serve};
pub use sse::{Sse, SseSender, sse};
pub use struck::{struck, suffer};
