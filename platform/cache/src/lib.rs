//! A cache in memory or in Redis, with single flight and bounded waits.
