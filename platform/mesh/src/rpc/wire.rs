//! Calls and replies as HTTP heads and bodies.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Response, StatusCode, response};
use http_body_util::Full;
use kernel::{Code, Deadline, Retry, Timestamp};
use telemetry::TraceContext;

use super::{CALLER, DEADLINE, ERROR, IDEMPOTENCY_KEY, TRACEPARENT};
use crate::{CallCx, Codec, Failure, FailureKind, MeshError, Payload, Reply};

/// Writes what travels with a call into the headers of its request.
pub(crate) fn write_cx(cx: &CallCx, headers: &mut HeaderMap) {
    headers.insert(DEADLINE, HeaderValue::from(cx.deadline.0.micros()));
    if cx.trace.is_some()
        && let Ok(value) = HeaderValue::from_bytes(&traceparent(cx.trace))
    {
        headers.insert(TRACEPARENT, value);
    }
    let texts = [(CALLER, &cx.caller), (IDEMPOTENCY_KEY, &cx.idempotency_key)];
    for (name, text) in texts {
        if let Some(value) = text.as_deref().and_then(|t| HeaderValue::from_str(t).ok()) {
            headers.insert(name, value);
        }
    }
}

/// `00-<trace>-<span>-<flags>`, written by hand because every call carries it.
fn traceparent(trace: TraceContext) -> [u8; 55] {
    let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
    write_hex(&mut text[3..35], trace.trace_id);
    write_hex(&mut text[36..52], u128::from(trace.span_id));
    write_hex(&mut text[53..55], u128::from(trace.sampled));
    text
}

fn write_hex(digits: &mut [u8], mut value: u128) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

/// Reads it back. A call without a deadline gets the latest one that is allowed.
pub(crate) fn read_cx(headers: &HeaderMap, latest: Deadline) -> CallCx {
    let text = |name| {
        headers
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
    };
    let deadline = text(DEADLINE)
        .and_then(|t| t.parse().ok())
        .map_or(latest, |micros| Deadline(Timestamp(micros)).min(latest));
    let trace = text(TRACEPARENT)
        .and_then(|t| TraceContext::parse(t).ok())
        .unwrap_or_default();
    CallCx {
        deadline,
        trace,
        caller: text(CALLER).map(Into::into),
        idempotency_key: text(IDEMPOTENCY_KEY).map(Into::into),
    }
}

/// Writes a reply. `codec` is the form of the request: an error of the mesh takes it too.
pub(crate) fn write_reply(reply: Reply, service: &str, codec: Codec) -> Response<Full<Bytes>> {
    let written = match reply {
        Ok(payload) => wire(payload).map(|(codec, bytes)| respond(StatusCode::OK, codec, bytes)),
        Err(failure) => write_failure(failure, service, codec),
    };
    written.unwrap_or_else(|error| {
        let text = Bytes::from(error.to_string());
        respond(StatusCode::INTERNAL_SERVER_ERROR, Codec::Json, text)
    })
}

fn write_failure(
    failure: Failure,
    service: &str,
    codec: Codec,
) -> Result<Response<Full<Bytes>>, MeshError> {
    let (whose, (codec, bytes)) = match failure.error {
        FailureKind::Contract(payload) => ("contract", wire(payload)?),
        FailureKind::Mesh(error) => ("mesh", (codec, codec.encode(service, &error)?)),
    };
    let status = StatusCode::from_u16(failure.code.status()).unwrap_or_default();
    let mut response = respond(status, codec, bytes);
    let text = match failure.retry {
        Retry::Never => format!("{whose} {} never", failure.code.name()),
        Retry::Safe => format!("{whose} {} safe", failure.code.name()),
        Retry::AfterMs(ms) => format!("{whose} {} after={ms}", failure.code.name()),
        Retry::IfIdempotent => format!("{whose} {} if_idempotent", failure.code.name()),
    };
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(ERROR, value);
    }
    Ok(response)
}

fn wire(payload: Payload) -> Result<(Codec, Bytes), MeshError> {
    match payload {
        Payload::Wire(codec, bytes) => Ok((codec, bytes)),
        Payload::Typed(_) => Err(MeshError::Codec {
            service: String::new(),
            action: "encode".to_owned(),
            detail: "a call that came as bytes was answered with a value".to_owned(),
        }),
    }
}

fn respond(status: StatusCode, codec: Codec, bytes: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(bytes));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(codec.content_type());
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Reads a reply.
pub(crate) fn read_reply(service: &str, head: &response::Parts, body: Bytes) -> Reply {
    let codec = Codec::of_content_type(head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes));
    if head.status == StatusCode::OK {
        return Ok(Payload::Wire(codec, body));
    }
    let said = head
        .headers
        .get(ERROR)
        .and_then(|v| v.to_str().ok())
        .and_then(read_error);
    match said {
        Some((true, code, retry)) => {
            let error = FailureKind::Contract(Payload::Wire(codec, body));
            Err(Failure { code, retry, error })
        }
        Some((false, ..)) => Err(codec.decode::<MeshError>(service, &body)?.into()),
        None => {
            let (service, status) = (service.to_owned(), head.status.as_u16());
            Err(MeshError::Foreign { service, status }.into())
        }
    }
}

/// Reads the error header: whether the error is the contract's, its code, its retry.
fn read_error(text: &str) -> Option<(bool, Code, Retry)> {
    let mut words = text.split(' ');
    let contract = match words.next()? {
        "contract" => true,
        "mesh" => false,
        _ => return None,
    };
    let name = words.next()?;
    let code = serde_json::from_value(serde_json::Value::from(name)).unwrap_or(Code::Internal);
    let retry = match words.next()? {
        "safe" => Retry::Safe,
        "if_idempotent" => Retry::IfIdempotent,
        other => match other.strip_prefix("after=").map(str::parse) {
            Some(Ok(ms)) => Retry::AfterMs(ms),
            _ => Retry::Never,
        },
    };
    Some((contract, code, retry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_header_reads_back() {
        let read = read_error("contract rate_limited after=250");
        assert_eq!(read, Some((true, Code::RateLimited, Retry::AfterMs(250))));
        let read = read_error("mesh unavailable safe");
        assert_eq!(read, Some((false, Code::Unavailable, Retry::Safe)));
        assert_eq!(read_error("somebody else"), None);
    }

    #[test]
    fn a_trace_is_written_as_the_standard_says() {
        let trace_id = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;
        let trace = TraceContext {
            trace_id,
            span_id: 0xb7ad_6b71_6920_3331,
            sampled: true,
        };
        let text = traceparent(trace);
        assert_eq!(
            &text,
            b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        );
        assert_eq!(text, trace.header_value().as_bytes());
    }

    #[test]
    fn a_code_of_a_later_version_is_an_internal_error() {
        let read = read_error("contract payment_required never");
        assert_eq!(read, Some((true, Code::Internal, Retry::Never)));
    }
}
