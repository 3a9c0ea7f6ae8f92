//! Operating what runs: the internal listener with `/admin` and `/system`, the supervisor of processes
//! and its registry, faults, and the system as one.

pub(crate) mod admin;
pub(crate) mod client;
pub(crate) mod cluster;
pub(crate) mod faulty;
pub(crate) mod internal;
pub(crate) mod outpost;
pub(crate) mod registry;
pub(crate) mod supervisor;
pub(crate) mod system;
