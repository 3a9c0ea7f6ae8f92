//! The balancer on a clock that is passed in.
