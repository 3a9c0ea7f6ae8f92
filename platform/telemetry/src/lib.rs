//! Traces, metrics and logs: recorded, kept for the console, exported.
