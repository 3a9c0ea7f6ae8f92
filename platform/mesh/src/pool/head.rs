//! The head of a response, and what it says of the body behind it.

use std::mem::MaybeUninit;

use bytes::{Buf as _, BytesMut};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version, header};

use super::decode::Decoder;

/// A head may be so large.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 100;

/// What came before the body.
pub(super) struct Head {
    pub(super) parts: Parts,
    pub(super) decoder: Decoder,
    /// The connection may be used again after the body.
    pub(super) keeps_alive: bool,
}

/// Why a response is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeadError {
    #[error("the head of its answer is larger than {HEAD_BYTES_MAX} bytes or {HEADERS_MAX} lines")]
    TooLarge,
    #[error("its answer is not HTTP/1.1")]
    Malformed,
    #[error("its answer states its length in a way that cannot be trusted")]
    Framing,
}

/// Takes the head of the final response out of `buffer`; `None` if it is not all there yet.
/// `to_head`: the request's method was `HEAD`.
pub(super) fn take(buffer: &mut BytesMut, to_head: bool) -> Result<Option<Head>, HeadError> {
    loop {
        let Some((bytes, parts)) = parse(buffer)? else {
            return match buffer.len() {
                HEAD_BYTES_MAX.. => Err(HeadError::TooLarge),
                _ => Ok(None),
            };
        };
        buffer.advance(bytes);
        // An interim answer (100, 103) is for those who wait for it.
        if parts.status.is_informational() && parts.status != StatusCode::SWITCHING_PROTOCOLS {
            continue;
        }
        return finish(parts, to_head).map(Some);
    }
}

fn parse(buffer: &[u8]) -> Result<Option<(usize, Parts)>, HeadError> {
    let mut lines = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut []);
    let bytes = match httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut head, buffer, &mut lines)
    {
        Ok(httparse::Status::Complete(bytes)) => bytes,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooLarge),
        Err(_) => return Err(HeadError::Malformed),
    };
    let mut parts = Response::new(()).into_parts().0;
    let status = head.code.and_then(|c| StatusCode::from_u16(c).ok());
    parts.status = status.ok_or(HeadError::Malformed)?;
    parts.version = match head.version {
        Some(0) => Version::HTTP_10,
        _ => Version::HTTP_11,
    };
    parts.headers.reserve(head.headers.len());
    for line in head.headers.iter() {
        let name = HeaderName::from_bytes(line.name.as_bytes());
        let value = HeaderValue::from_bytes(line.value);
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(HeadError::Malformed);
        };
        parts.headers.append(name, value);
    }
    Ok(Some((bytes, parts)))
}

fn finish(mut parts: Parts, to_head: bool) -> Result<Head, HeadError> {
    let decoder = framing(&mut parts, to_head)?;
    let says = |token| says(&parts.headers, token);
    let asked = match parts.version {
        Version::HTTP_10 => says("keep-alive"),
        _ => !says("close"),
    };
    let keeps_alive =
        asked && !decoder.needs_end() && parts.status != StatusCode::SWITCHING_PROTOCOLS;
    Ok(Head {
        parts,
        decoder,
        keeps_alive,
    })
}

/// Whether `Connection` has this token.
fn says(headers: &HeaderMap, token: &str) -> bool {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|v| v.as_bytes().split(|b| *b == b','))
        .any(|part| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// Where the body ends (RFC 9112, section 6.3).
fn framing(parts: &mut Parts, to_head: bool) -> Result<Decoder, HeadError> {
    let status = parts.status;
    let bodiless = to_head
        || status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED;
    let coded = parts.headers.contains_key(header::TRANSFER_ENCODING);
    if coded && parts.version == Version::HTTP_10 {
        return Err(HeadError::Framing);
    }
    let length = length(&parts.headers)?;
    if bodiless {
        return Ok(Decoder::empty());
    }
    if coded {
        // The coding counts; a length beside it must not reach anybody who would believe it.
        parts.headers.remove(header::CONTENT_LENGTH);
        return if ends_chunked(&parts.headers) {
            Ok(Decoder::chunked())
        } else {
            Ok(Decoder::until_end())
        };
    }
    Ok(length.map_or_else(Decoder::until_end, Decoder::length))
}

/// `Content-Length`, which may be repeated but not differ.
fn length(headers: &HeaderMap) -> Result<Option<u64>, HeadError> {
    let mut stated = None;
    for value in headers.get_all(header::CONTENT_LENGTH) {
        let bytes = digits(value.as_bytes()).ok_or(HeadError::Framing)?;
        if stated.is_some_and(|s| s != bytes) {
            return Err(HeadError::Framing);
        }
        stated = Some(bytes);
    }
    Ok(stated)
}

/// Digits only: no sign, no list.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn ends_chunked(headers: &HeaderMap) -> bool {
    let last = headers
        .get_all(header::TRANSFER_ENCODING)
        .iter()
        .next_back();
    let last = last.and_then(|v| v.as_bytes().rsplit(|b| *b == b',').next());
    last.is_some_and(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

#[cfg(test)]
mod tests;
