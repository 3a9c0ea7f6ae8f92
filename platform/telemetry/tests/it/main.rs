//! Telemetry against what reads it: Prometheus' own checker and an OTLP collector.

mod otlp;
mod prometheus;
