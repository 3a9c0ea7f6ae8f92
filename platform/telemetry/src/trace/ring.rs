//! Finished spans in bounded memory: the newest, and those of slow or failed traces for longer.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use kernel::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::FinishedSpan;

const RECENT_SPANS_MAX: usize = 4_096;
const NOTABLE_SPANS_MAX: usize = 1_024;

/// Which traces to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TraceFilter {
    /// Only traces with a step in this service.
    pub service: Option<String>,
    /// Only traces with a failed step.
    pub failed: bool,
    /// The slowest first instead of the newest.
    pub slowest: bool,
}

/// A trace in one line: its first step in this process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceSummary {
    /// The trace, as 32 hex digits.
    pub trace_id: String,
    /// What the first step did.
    pub name: String,
    /// Who did it.
    pub service: String,
    /// When it began.
    pub start: Timestamp,
    /// How long it took.
    pub duration_us: u64,
    /// What went wrong, in it or below.
    pub error: Option<String>,
    /// How many steps are kept.
    pub spans: usize,
}

#[derive(Debug, Default)]
struct Rings {
    recent: VecDeque<Arc<FinishedSpan>>,
    notable: VecDeque<Arc<FinishedSpan>>,
}

#[derive(Debug)]
pub(super) struct Ring {
    slow_us: u64,
    rings: Mutex<Rings>,
}

impl Ring {
    pub(super) fn new(slow: Duration) -> Self {
        let slow_us = u64::try_from(slow.as_micros()).unwrap_or(u64::MAX);
        Self {
            slow_us,
            rings: Mutex::default(),
        }
    }

    /// A root, or the entry into this process, ends last: by then its steps are in `recent`.
    pub(super) fn push(&self, span: Arc<FinishedSpan>) {
        let mut rings = self.rings.lock();
        let is_entry = span.parent.is_none() || span.kind == super::SpanKind::Server;
        let notable = is_entry && (span.error.is_some() || span.duration_us >= self.slow_us);
        let trace_id = span.trace_id;
        bounded_push(&mut rings.recent, span, RECENT_SPANS_MAX);
        if notable {
            let Rings { recent, notable } = &mut *rings;
            let kept: HashSet<u64> = notable
                .iter()
                .filter(|s| s.trace_id == trace_id)
                .map(|s| s.span_id)
                .collect();
            for span in recent.iter().filter(|s| s.trace_id == trace_id) {
                if !kept.contains(&span.span_id) {
                    bounded_push(notable, Arc::clone(span), NOTABLE_SPANS_MAX);
                }
            }
        }
    }

    pub(super) fn trace(&self, trace_id: u128) -> Vec<Arc<FinishedSpan>> {
        let mut spans = self.spans();
        spans.retain(|s| s.trace_id == trace_id);
        spans.sort_by_key(|s| (s.start, s.parent.is_some()));
        spans
    }

    pub(super) fn list(&self, filter: &TraceFilter, limit: usize) -> Vec<TraceSummary> {
        let mut spans = self.spans();
        spans.sort_by_key(|s| (s.trace_id, s.start, s.parent.is_some()));
        let mut found: Vec<TraceSummary> = spans
            .chunk_by(|a, b| a.trace_id == b.trace_id)
            .filter(|spans| matches(spans, filter))
            .map(summary)
            .collect();
        if filter.slowest {
            found.sort_by_key(|t| std::cmp::Reverse(t.duration_us));
        } else {
            found.sort_by_key(|t| std::cmp::Reverse(t.start));
        }
        found.truncate(limit);
        found
    }

    /// Every kept span once.
    fn spans(&self) -> Vec<Arc<FinishedSpan>> {
        let rings = self.rings.lock();
        let mut seen = HashSet::new();
        let all = rings.recent.iter().chain(&rings.notable);
        all.filter(|s| seen.insert((s.trace_id, s.span_id)))
            .cloned()
            .collect()
    }
}

fn bounded_push(ring: &mut VecDeque<Arc<FinishedSpan>>, span: Arc<FinishedSpan>, max: usize) {
    if ring.len() == max {
        ring.pop_front();
    }
    ring.push_back(span);
}

fn matches(spans: &[Arc<FinishedSpan>], filter: &TraceFilter) -> bool {
    let service = filter.service.as_deref();
    service.is_none_or(|wanted| spans.iter().any(|s| s.service == wanted))
        && (!filter.failed || spans.iter().any(|s| s.error.is_some()))
}

/// `spans` belong to one trace, are sorted by start and are not empty.
fn summary(spans: &[Arc<FinishedSpan>]) -> TraceSummary {
    let first = &spans[0];
    let error = first
        .error
        .clone()
        .or_else(|| spans.iter().find_map(|s| s.error.clone()));
    TraceSummary {
        trace_id: format!("{:032x}", first.trace_id),
        name: first.name.to_string(),
        service: first.service.to_string(),
        start: first.start,
        duration_us: first.duration_us,
        error,
        spans: spans.len(),
    }
}
