//! Traces, metrics, logs and the time axis: recorded in bounded memory, kept for the console,
//! exported to Prometheus and OTLP.
//!
//! Nothing here is global: one [`Telemetry`] is made per process and handed around by clone.

pub mod log;
mod metric;
pub mod process;
mod timeline;
mod trace;

pub use metric::{Collected, Counter, Gauge, Histogram, InFlight, Metrics, SERIES_MAX};
pub use timeline::{EVENTS_MAX, Event, EventKind, Timeline};
pub use trace::{
    ExportError, FinishedSpan, OtlpConfig, Sampling, Span, SpanKind, TraceContext,
    TraceContextError, TraceFilter, TraceSummary, Traces,
};

use kernel::Ctx;

/// What a process records about itself. Cheap to clone; clones share their state.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// Counters, gauges and histograms.
    pub metrics: Metrics,
    /// Spans of requests.
    pub traces: Traces,
    /// What happened when: knob changes, faults, restarts.
    pub timeline: Timeline,
}

impl Telemetry {
    /// Empty telemetry that samples new traces as `sampling` says.
    #[must_use]
    pub fn new(sampling: Sampling, ctx: &Ctx) -> Self {
        let metrics = Metrics::new();
        let traces = Traces::new(sampling, ctx, &metrics);
        Self {
            traces,
            timeline: Timeline::new(ctx.clock.clone()),
            metrics,
        }
    }

    /// Telemetry for tests and tools: everything works, no new trace is sampled.
    #[must_use]
    pub fn quiet() -> Self {
        Self::new(Sampling::none(), &Ctx::system())
    }
}
