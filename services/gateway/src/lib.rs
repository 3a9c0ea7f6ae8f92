//! The front door: routes, balances, protects.
