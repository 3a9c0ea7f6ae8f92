//! The OTLP/HTTP JSON encoding of spans, as opentelemetry-proto 1.x publishes it: ids are hex,
//! 64-bit numbers are strings, enums are numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{FinishedSpan, OtlpConfig, SpanKind};

/// One `ExportTraceServiceRequest`, with one resource per service.
pub(super) fn request(config: &OtlpConfig, spans: &[Arc<FinishedSpan>]) -> Value {
    let mut by_service: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for span in spans {
        by_service
            .entry(&span.service)
            .or_default()
            .push(encoded(span));
    }
    let resources: Vec<Value> = by_service
        .into_iter()
        .map(|(service, spans)| {
            let mut attributes = vec![
                attribute("service.name", service),
                attribute("service.instance.id", &config.instance),
            ];
            attributes.extend(
                config
                    .resource
                    .iter()
                    .map(|(name, value)| attribute(name, value)),
            );
            json!({
                "resource": { "attributes": attributes },
                "scopeSpans": [{
                    "scope": { "name": "tradewind", "version": env!("CARGO_PKG_VERSION") },
                    "spans": spans,
                }],
            })
        })
        .collect();
    json!({ "resourceSpans": resources })
}

fn encoded(span: &FinishedSpan) -> Value {
    let start = span.start.micros();
    let end = start.saturating_add(i64::try_from(span.duration_us).unwrap_or(i64::MAX));
    let attributes: Vec<Value> = span
        .attributes
        .iter()
        .map(|(name, value)| attribute(name, value))
        .collect();
    let mut json = json!({
        "traceId": format!("{:032x}", span.trace_id),
        "spanId": format!("{:016x}", span.span_id),
        "name": span.name,
        "kind": kind(span.kind),
        "startTimeUnixNano": nanos(start),
        "endTimeUnixNano": nanos(end),
        "attributes": attributes,
        "flags": 1,
    });
    if let Some(parent) = span.parent {
        json["parentSpanId"] = Value::String(format!("{parent:016x}"));
    }
    if let Some(error) = &span.error {
        json["status"] = json!({ "code": 2, "message": error });
    }
    json
}

fn attribute(name: &str, value: &str) -> Value {
    json!({ "key": name, "value": { "stringValue": value } })
}

fn nanos(micros: i64) -> String {
    (i128::from(micros) * 1_000).to_string()
}

const fn kind(kind: SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}
