//! Calls and replies as HTTP heads and bodies.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Response, StatusCode, response};
use http_body_util::Full;
use kernel::{Code, Deadline, Principal, Retry, Timestamp};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use telemetry::TraceContext;

use super::{CALLER, DEADLINE, ERROR, IDEMPOTENCY_KEY, TIMEOUT, TRACEPARENT};
use crate::{CallCx, Failure, FailureKind, MeshError, Payload, Reply, codec};

/// What is percent-encoded in a header, besides all that is not ASCII.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

/// Writes what travels with a call, which has `left` to go, into the headers of its request.
pub(crate) fn write_cx(cx: &CallCx, left: Duration, headers: &mut HeaderMap) {
    let left_us = u64::try_from(left.as_micros()).unwrap_or(u64::MAX);
    headers.insert(TIMEOUT, HeaderValue::from(left_us));
    headers.insert(DEADLINE, HeaderValue::from(cx.deadline.0.micros()));
    if cx.trace.is_some()
        && let Ok(value) = HeaderValue::from_bytes(&traceparent(cx.trace))
    {
        headers.insert(TRACEPARENT, value);
    }
    if let Ok(value) = HeaderValue::from_str(&cx.caller.to_text()) {
        headers.insert(CALLER, value);
    }
    if let Some(value) = cx.idempotency_key.as_deref().and_then(encode_text) {
        headers.insert(IDEMPOTENCY_KEY, value);
    }
}

fn encode_text(text: &str) -> Option<HeaderValue> {
    let encoded: Cow<'_, str> = utf8_percent_encode(text, ENCODED).into();
    HeaderValue::from_str(&encoded).ok()
}

/// What was not written by [`encode_text`] stays as it is.
fn decode_text(text: &str) -> Cow<'_, str> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.unwrap_or(Cow::Borrowed(text))
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

/// Reads it back, at `now` by the callee's clock. A call gets at most `longest`, and that much when it
/// does not say how long it has.
pub(crate) fn read_cx(headers: &HeaderMap, now: Timestamp, longest: Duration) -> CallCx {
    let text = |name| {
        headers
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
    };
    let timeout = text(TIMEOUT)
        .and_then(|t| t.parse().ok())
        .map(Duration::from_micros);
    let until = || {
        let micros = text(DEADLINE)?.parse().ok()?;
        Some(Timestamp(micros).since(now))
    };
    let left = timeout.or_else(until).map_or(longest, |l| l.min(longest));
    let trace = text(TRACEPARENT)
        .and_then(|t| TraceContext::parse(t).ok())
        .unwrap_or_default();
    CallCx {
        deadline: Deadline(now.plus(left)),
        trace,
        caller: text(CALLER).map(Principal::parse).unwrap_or_default(),
        idempotency_key: text(IDEMPOTENCY_KEY).map(|t| decode_text(t).into()),
    }
}

/// Writes a reply.
pub(crate) fn write_reply(reply: Reply, service: &str) -> Response<Full<Bytes>> {
    let written = match reply {
        Ok(payload) => wire(payload, service).map(|bytes| respond(StatusCode::OK, bytes)),
        Err(failure) => write_failure(failure, service),
    };
    written.unwrap_or_else(|error| {
        let text = Bytes::from(error.to_string());
        respond(StatusCode::INTERNAL_SERVER_ERROR, text)
    })
}

fn write_failure(failure: Failure, service: &str) -> Result<Response<Full<Bytes>>, MeshError> {
    let (whose, bytes) = match failure.error {
        FailureKind::Contract(payload) => ("contract", wire(payload, service)?),
        FailureKind::Mesh(error) => ("mesh", codec::encode(service, &error)?),
    };
    let status = StatusCode::from_u16(failure.code.status()).unwrap_or_default();
    let mut response = respond(status, bytes);
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

fn wire(payload: Payload, service: &str) -> Result<Bytes, MeshError> {
    match payload {
        Payload::Wire(bytes) => Ok(bytes),
        Payload::Typed(_) => Err(codec::not_written(service)),
    }
}

fn respond(status: StatusCode, bytes: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(bytes));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(codec::CONTENT_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Reads a reply.
pub(crate) fn read_reply(service: &str, head: &response::Parts, body: Bytes) -> Reply {
    if head.status == StatusCode::OK {
        return Ok(Payload::Wire(body));
    }
    let said = head
        .headers
        .get(ERROR)
        .and_then(|v| v.to_str().ok())
        .and_then(read_error);
    match said {
        Some((true, code, retry)) => {
            let error = FailureKind::Contract(Payload::Wire(body));
            Err(Failure { code, retry, error })
        }
        Some((false, code, retry)) => {
            let error = codec::decode_error(service, &body, (code, retry));
            Err(error.map_or_else(Into::into, |known: MeshError| known.into()))
        }
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
    use futures_util::FutureExt as _;
    use http_body_util::BodyExt as _;
    use kernel::Coded as _;

    use super::*;
    use crate::error::every_error;

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
    fn every_error_of_the_mesh_reads_back_with_its_code_and_its_retry() {
        for error in every_error() {
            let written = write_reply(Err(error.clone().into()), "shop");
            let (head, body) = written.into_parts();
            let body = body.collect().now_or_never().expect("it is there");
            let body = body.expect("bytes").to_bytes();
            let Err(failure) = read_reply("shop", &head, body) else {
                panic!("a failure came back as an answer: {error}");
            };
            assert_eq!((failure.code, failure.retry), (error.code(), error.retry()));
            assert_eq!(head.status.as_u16(), error.code().status());
            match failure.error {
                FailureKind::Mesh(read) => assert_eq!(read, error),
                FailureKind::Contract(_) => panic!("no longer the mesh's: {error}"),
            }
        }
    }

    #[test]
    fn a_code_of_a_later_version_is_an_internal_error() {
        let read = read_error("contract payment_required never");
        assert_eq!(read, Some((true, Code::Internal, Retry::Never)));
    }
}
