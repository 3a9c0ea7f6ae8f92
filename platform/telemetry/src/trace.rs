//! Spans of requests: sampled at the root, kept in bounded memory, exported when configured.
//!
//! Spans are plain values that their owner passes on; there is no "current span".

mod context;
mod export;
mod otlp;
mod ring;
mod span;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kernel::{Clock, Ctx, Tasks};
use tokio::sync::mpsc;

use crate::{Counter, Metrics};

pub use context::{TraceContext, TraceContextError};
pub use export::{ExportError, OtlpConfig};
pub use ring::{TraceFilter, TraceSummary};
pub use span::{FinishedSpan, Span, SpanKind};

/// Which new traces are recorded. A trace that came from elsewhere keeps what was decided there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// The share of new traces, from 0 to 1.
    pub ratio: f64,
    /// At least so many new traces a second, so that a quiet system has traces to look at.
    pub floor_per_s: u32,
    /// A root span slower than this is kept longer.
    pub slow: Duration,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            ratio: 0.01,
            floor_per_s: 5,
            slow: Duration::from_millis(250),
        }
    }
}

impl Sampling {
    /// Every trace.
    #[must_use]
    pub fn all() -> Self {
        Self {
            ratio: 1.0,
            ..Self::default()
        }
    }

    /// No new trace.
    #[must_use]
    pub fn none() -> Self {
        Self {
            ratio: 0.0,
            floor_per_s: 0,
            ..Self::default()
        }
    }
}

pub(crate) struct Inner {
    clock: Arc<dyn Clock>,
    sampling: Sampling,
    threshold: u64,
    ids: AtomicU64,
    started: Instant,
    floor_second: AtomicU64,
    floor_left: AtomicI64,
    ring: ring::Ring,
    exporter: std::sync::OnceLock<mpsc::Sender<Arc<FinishedSpan>>>,
    exported: Counter,
    dropped: Counter,
}

/// Makes spans and keeps the finished ones. Cheap to clone; clones share their state.
#[derive(Clone)]
pub struct Traces(Arc<Inner>);

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces")
            .field("sampling", &self.0.sampling)
            .finish_non_exhaustive()
    }
}

impl Traces {
    /// No spans yet. The ids start from `ctx`'s randomness.
    #[must_use]
    pub fn new(sampling: Sampling, ctx: &Ctx, metrics: &Metrics) -> Self {
        let help = "Spans handed to the OTLP collector.";
        let exported = metrics.counter("telemetry_spans_exported_total", help, &[]);
        let help = "Spans that the OTLP collector did not take, or not in time.";
        let dropped = metrics.counter("telemetry_spans_dropped_total", help, &[]);
        Self(Arc::new(Inner {
            clock: ctx.clock.clone(),
            sampling,
            threshold: threshold(sampling.ratio),
            ids: AtomicU64::new(ctx.random.next_u64()),
            started: Instant::now(),
            floor_second: AtomicU64::new(u64::MAX),
            floor_left: AtomicI64::new(0),
            ring: ring::Ring::new(sampling.slow),
            exporter: std::sync::OnceLock::new(),
            exported,
            dropped,
        }))
    }

    /// Starts a span; it ends when dropped. Without a parent (or with [`TraceContext::NONE`]) it is
    /// the root of a new trace, which is recorded or not as [`Sampling`] says.
    #[must_use]
    pub fn span(
        &self,
        name: impl Into<Cow<'static, str>>,
        service: impl Into<Cow<'static, str>>,
        parent: Option<TraceContext>,
        kind: SpanKind,
    ) -> Span {
        let parent = parent.filter(TraceContext::is_some);
        let context = match parent {
            Some(parent) => TraceContext {
                span_id: self.id(),
                ..parent
            },
            None => self.root(),
        };
        if !context.sampled {
            return Span::unsampled(context);
        }
        let parent = parent.map(|p| p.span_id);
        Span::recording(
            self.clone(),
            context,
            parent,
            name.into(),
            service.into(),
            kind,
        )
    }

    /// The context of a new trace, sampled or not as [`Sampling`] says.
    #[must_use]
    pub fn root(&self) -> TraceContext {
        let trace_id = (u128::from(self.id()) << 64) | u128::from(self.id());
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the low half is as random as the rest"
        )]
        let dice = trace_id as u64;
        let sampled = dice < self.0.threshold || self.0.ratio_is_one() || self.floor();
        TraceContext {
            trace_id,
            span_id: self.id(),
            sampled,
        }
    }

    /// The finished spans of one trace, in the order in which they began.
    #[must_use]
    pub fn trace(&self, trace_id: u128) -> Vec<Arc<FinishedSpan>> {
        self.0.ring.trace(trace_id)
    }

    /// The traces that `filter` asks for, newest or slowest first, at most `limit`.
    #[must_use]
    pub fn list(&self, filter: &TraceFilter, limit: usize) -> Vec<TraceSummary> {
        self.0.ring.list(filter, limit)
    }

    /// Sends finished spans to an OTLP/HTTP collector from now on, in batches from a bounded queue:
    /// a collector that is slow or away costs spans, never requests. May be called once.
    pub fn export(&self, config: OtlpConfig, tasks: &Tasks) -> Result<(), ExportError> {
        let target = export::Target::of(&config)?;
        let (sender, receiver) = mpsc::channel(export::QUEUE_SPANS_MAX);
        self.0
            .exporter
            .set(sender)
            .map_err(|_| ExportError::Twice)?;
        let counts = export::Counts {
            exported: self.0.exported.clone(),
            dropped: self.0.dropped.clone(),
        };
        let stopping = tasks.token();
        tasks.spawn(export::run(config, target, receiver, counts, stopping));
        Ok(())
    }

    fn finish(&self, span: FinishedSpan) {
        let span = Arc::new(span);
        if let Some(exporter) = self.0.exporter.get()
            && exporter.try_send(Arc::clone(&span)).is_err()
        {
            self.0.dropped.inc();
        }
        self.0.ring.push(span);
    }

    /// A number that is not zero and not used before: SplitMix64 over a counter.
    fn id(&self) -> u64 {
        let at = self
            .0
            .ids
            .fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        context::mixed(at).max(1)
    }

    /// Takes one of this second's guaranteed traces, if any is left.
    fn floor(&self) -> bool {
        let inner = &self.0;
        if inner.sampling.floor_per_s == 0 {
            return false;
        }
        let second = inner.started.elapsed().as_secs();
        if inner.floor_second.swap(second, Ordering::Relaxed) != second {
            inner
                .floor_left
                .store(i64::from(inner.sampling.floor_per_s), Ordering::Relaxed);
        }
        inner.floor_left.load(Ordering::Relaxed) > 0
            && inner.floor_left.fetch_sub(1, Ordering::Relaxed) > 0
    }
}

impl Inner {
    fn ratio_is_one(&self) -> bool {
        self.threshold == u64::MAX
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of the range; `as` saturates at both ends"
)]
fn threshold(ratio: f64) -> u64 {
    (ratio.clamp(0.0, 1.0) * u64::MAX as f64) as u64
}
