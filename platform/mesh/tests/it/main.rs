//! Calls over real edges: the same story on every binding, then each layer, the pool and discovery.

mod attempts;
mod bindings;
mod discovery;
mod endpoints;
mod fixture;
mod layers;
mod pool;
mod skew;
mod wire;
