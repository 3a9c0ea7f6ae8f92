//! The innermost services of an edge: in process, or HTTP to one of several endpoints.

mod http;
mod local;

pub use http::HttpTarget;

pub(crate) use http::HttpBinding;
pub(crate) use local::LocalBinding;
