//! The head of a response, and what it says of the body behind it.

use std::mem::MaybeUninit;

use bytes::{Buf as _, BytesMut};
use http::response::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode, Version, header};

use super::decode::Decoder;

/// A head may be so large.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 100;
/// Room for headers that are added on the way on: to make more is to hash all anew.
const ADDED: usize = 4;

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
        let Some((bytes, parts, said)) = parse(buffer)? else {
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
        return finish(parts, &said, to_head).map(Some);
    }
}

fn parse(buffer: &[u8]) -> Result<Option<(usize, Parts, Said)>, HeadError> {
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
    parts.headers.reserve(head.headers.len() + ADDED);
    let mut said = Said::default();
    for line in head.headers.iter() {
        let name = HeaderName::from_bytes(line.name.as_bytes());
        let value = HeaderValue::from_bytes(line.value);
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(HeadError::Malformed);
        };
        said.note(&name, line.value)?;
        parts.headers.append(name, value);
    }
    Ok(Some((bytes, parts, said)))
}

/// What a head says of the body and the connection.
#[derive(Default)]
struct Said {
    length: Option<u64>,
    /// A transfer coding is named; whether the last is `chunked`.
    coded: Option<bool>,
    close: bool,
    keep_alive: bool,
}

impl Said {
    fn note(&mut self, name: &HeaderName, value: &[u8]) -> Result<(), HeadError> {
        if *name == header::CONTENT_LENGTH {
            // It may be repeated but not differ.
            let bytes = digits(value).ok_or(HeadError::Framing)?;
            if self.length.is_some_and(|before| before != bytes) {
                return Err(HeadError::Framing);
            }
            self.length = Some(bytes);
        } else if *name == header::TRANSFER_ENCODING {
            let last = tokens(value).next_back().unwrap_or_default();
            self.coded = Some(last.eq_ignore_ascii_case(b"chunked"));
        } else if *name == header::CONNECTION {
            for token in tokens(value) {
                self.close |= token.eq_ignore_ascii_case(b"close");
                self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
            }
        }
        Ok(())
    }

    /// Where the body ends (RFC 9112, section 6.3).
    fn framing(&self, parts: &mut Parts, to_head: bool) -> Result<Decoder, HeadError> {
        if self.coded.is_some() && parts.version == Version::HTTP_10 {
            return Err(HeadError::Framing);
        }
        let status = parts.status;
        let bodiless = to_head
            || status.is_informational()
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED;
        if bodiless {
            return Ok(Decoder::empty());
        }
        let Some(chunked) = self.coded else {
            return Ok(self.length.map_or_else(Decoder::until_end, Decoder::length));
        };
        // The coding counts; a length beside it must not reach anybody who would believe it.
        parts.headers.remove(header::CONTENT_LENGTH);
        Ok(if chunked {
            Decoder::chunked()
        } else {
            Decoder::until_end()
        })
    }
}

fn finish(mut parts: Parts, said: &Said, to_head: bool) -> Result<Head, HeadError> {
    let decoder = said.framing(&mut parts, to_head)?;
    let asked = match parts.version {
        Version::HTTP_10 => said.keep_alive && !said.close,
        _ => !said.close,
    };
    let keeps_alive =
        asked && !decoder.needs_end() && parts.status != StatusCode::SWITCHING_PROTOCOLS;
    Ok(Head {
        parts,
        decoder,
        keeps_alive,
    })
}

fn tokens(value: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    value.split(|b| *b == b',').map(<[u8]>::trim_ascii)
}

/// Digits only: no sign, no list.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
