//! One process: what it gives to the services in it, and how it runs their parts.
//!
//! A service sees nothing above this room.

pub(crate) mod bodies;
pub(crate) mod carriers;
pub(crate) mod discovery;
pub(crate) mod edges;
pub(crate) mod host;
pub(crate) mod hosted;
pub(crate) mod names;
pub(crate) mod parts;
pub(crate) mod role;
pub(crate) mod service;
pub(crate) mod strict;
pub(crate) mod traced;
