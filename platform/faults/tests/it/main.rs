//! The vocabulary as it is written, leases, and where faults find something to strike.

mod leases;
mod places;
mod specs;
