//! What services promise each other: one file per service.

pub mod links;
// new-service: pub mod __name__;
