//! One step of a request: begun explicitly, finished when dropped.

use std::borrow::Cow;
use std::fmt;
use std::time::Instant;

use kernel::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::{TraceContext, Traces};

const ATTRIBUTES_MAX: usize = 32;
const VALUE_BYTES_MAX: usize = 256;

/// Which side of a call a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// Work inside a service.
    Internal,
    /// The answering side of a call.
    Server,
    /// The asking side of a call.
    Client,
    /// An event being published.
    Producer,
    /// An event being applied.
    Consumer,
}

/// A step that is over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FinishedSpan {
    /// The trace that it belongs to, as 32 hex digits.
    #[serde(serialize_with = "hex32")]
    pub trace_id: u128,
    /// The span, as 16 hex digits.
    #[serde(serialize_with = "hex16")]
    pub span_id: u64,
    /// The span that caused it.
    #[serde(serialize_with = "hex16_or_none")]
    pub parent: Option<u64>,
    /// What was done: `GET /api/links/{id}`.
    pub name: Cow<'static, str>,
    /// Who did it.
    pub service: Cow<'static, str>,
    /// Which side of a call it is.
    pub kind: SpanKind,
    /// When it began.
    pub start: Timestamp,
    /// How long it took.
    pub duration_us: u64,
    /// What went wrong.
    pub error: Option<String>,
    /// More about it.
    pub attributes: Vec<(Cow<'static, str>, String)>,
}

struct Recording {
    traces: Traces,
    begun: Instant,
    span: FinishedSpan,
}

/// A step that is going on; it ends when dropped. When its trace is not sampled, it is a context
/// and nothing else.
pub struct Span {
    context: TraceContext,
    recording: Option<Box<Recording>>,
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Span")
            .field(&self.context.header_value())
            .finish()
    }
}

impl Span {
    /// A span that is not recorded and passes `context` on.
    #[must_use]
    pub const fn unsampled(context: TraceContext) -> Self {
        Self {
            context,
            recording: None,
        }
    }

    pub(super) fn recording(
        traces: Traces,
        context: TraceContext,
        parent: Option<u64>,
        name: Cow<'static, str>,
        service: Cow<'static, str>,
        kind: SpanKind,
    ) -> Self {
        let span = FinishedSpan {
            trace_id: context.trace_id,
            span_id: context.span_id,
            parent,
            name,
            service,
            kind,
            start: traces.0.clock.now(),
            duration_us: 0,
            error: None,
            attributes: Vec::new(),
        };
        let recording = Recording {
            traces,
            begun: Instant::now(),
            span,
        };
        Self {
            context,
            recording: Some(Box::new(recording)),
        }
    }

    /// What callees are given as their parent.
    #[must_use]
    pub const fn context(&self) -> TraceContext {
        self.context
    }

    /// Whether it is recorded; when not, attributes need not be worked out.
    #[must_use]
    pub const fn is_recording(&self) -> bool {
        self.recording.is_some()
    }

    /// Gives it another name, when the right one is known only later.
    pub fn rename(&mut self, name: impl Into<Cow<'static, str>>) {
        if let Some(recording) = &mut self.recording {
            recording.span.name = name.into();
        }
    }

    /// Notes something about it. Values are cut at 256 bytes; 32 are kept.
    pub fn attr(&mut self, name: impl Into<Cow<'static, str>>, value: impl fmt::Display) {
        if let Some(recording) = &mut self.recording
            && recording.span.attributes.len() < ATTRIBUTES_MAX
        {
            recording
                .span
                .attributes
                .push((name.into(), shortened(value.to_string())));
        }
    }

    /// Notes that it failed, and how.
    pub fn error(&mut self, message: impl fmt::Display) {
        if let Some(recording) = &mut self.recording {
            recording.span.error = Some(shortened(message.to_string()));
        }
    }

    /// Ends it now.
    pub fn end(self) {
        drop(self);
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(recording) = self.recording.take() {
            let Recording {
                traces,
                begun,
                mut span,
            } = *recording;
            span.duration_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            traces.finish(span);
        }
    }
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(VALUE_BYTES_MAX));
    text
}

fn hex32<S: Serializer>(id: &u128, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(&format_args!("{id:032x}"))
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
fn hex16<S: Serializer>(id: &u64, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(&format_args!("{id:016x}"))
}

#[expect(clippy::ref_option, reason = "serde hands over references")]
fn hex16_or_none<S: Serializer>(id: &Option<u64>, s: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => hex16(id, s),
        None => s.serialize_none(),
    }
}
