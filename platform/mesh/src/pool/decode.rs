//! Where the body of a response ends, and its pieces as they come in.

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;

/// The size line of a chunk with its extensions, and all trailers together, may be so long.
const LINES_BYTES_MAX: usize = 16 * 1024;
const TRAILERS_MAX: usize = 32;

/// What is still to come of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decoder(Rest);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// It has ended.
    Nothing,
    /// So many bytes.
    Length(u64),
    /// The size of the next chunk.
    Size,
    /// So many bytes of a chunk, and the end of its line.
    Chunk(u64),
    /// Trailers, or the empty line in their place.
    Trailers,
    /// Everything until the connection is closed.
    UntilEnd,
}

impl Decoder {
    pub(super) const fn empty() -> Self {
        Self(Rest::Nothing)
    }

    pub(super) const fn length(bytes: u64) -> Self {
        Self(if bytes == 0 {
            Rest::Nothing
        } else {
            Rest::Length(bytes)
        })
    }

    pub(super) const fn chunked() -> Self {
        Self(Rest::Size)
    }

    pub(super) const fn until_end() -> Self {
        Self(Rest::UntilEnd)
    }

    pub(super) const fn has_ended(self) -> bool {
        matches!(self.0, Rest::Nothing)
    }

    /// Whether only the end of the connection ends the body.
    pub(super) const fn needs_end(self) -> bool {
        matches!(self.0, Rest::UntilEnd)
    }

    /// How many bytes are still to come, if that is known.
    pub(super) const fn bytes(self) -> Option<u64> {
        match self.0 {
            Rest::Nothing => Some(0),
            Rest::Length(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The next piece, as far as it lies in `buffer`: data, or trailers. `None`: more has to come,
    /// or the body [has ended](Self::has_ended). The end is noticed with the last piece, if it has
    /// come with it.
    pub(super) fn next(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Frame<Bytes>>> {
        loop {
            match self.0 {
                Rest::Nothing => return Ok(None),
                Rest::UntilEnd => {
                    let all = buffer.len();
                    return Ok((all > 0).then(|| Frame::data(buffer.split_to(all).freeze())));
                }
                Rest::Length(left) => {
                    let data = split(buffer, left);
                    let after = left - data.len() as u64;
                    *self = Self::length(after);
                    return Ok((!data.is_empty()).then(|| Frame::data(data)));
                }
                Rest::Chunk(0) => {
                    if !take_line_end(buffer)? {
                        return Ok(None);
                    }
                    self.0 = Rest::Size;
                }
                Rest::Chunk(left) => {
                    let data = split(buffer, left);
                    self.0 = Rest::Chunk(left - data.len() as u64);
                    if data.is_empty() {
                        return Ok(None);
                    }
                    self.look_ahead(buffer);
                    return Ok(Some(Frame::data(data)));
                }
                Rest::Size => match take_size(buffer)? {
                    None => return Ok(None),
                    Some(0) => self.0 = Rest::Trailers,
                    Some(bytes) => self.0 = Rest::Chunk(bytes),
                },
                Rest::Trailers => {
                    let Some(trailers) = take_trailers(buffer)? else {
                        return Ok(None);
                    };
                    self.0 = Rest::Nothing;
                    return Ok((!trailers.is_empty()).then(|| Frame::trailers(trailers)));
                }
            }
        }
    }

    /// Behind the data of a chunk: notices that it was the last, when no trailers follow.
    fn look_ahead(&mut self, buffer: &mut BytesMut) {
        const LAST: &[u8] = b"\r\n0\r\n\r\n";
        if self.0 == Rest::Chunk(0) && buffer.starts_with(LAST) {
            buffer.advance(LAST.len());
            self.0 = Rest::Nothing;
        }
    }

    /// The connection has ended; that is the end of a body that has no other.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if !matches!(self.0, Rest::Nothing | Rest::UntilEnd) {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the connection was closed before the end of the body",
            ));
        }
        self.0 = Rest::Nothing;
        Ok(())
    }
}

fn split(buffer: &mut BytesMut, most: u64) -> Bytes {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    buffer.split_to(buffer.len().min(most)).freeze()
}

/// Whether the end of a line was there.
fn take_line_end(buffer: &mut BytesMut) -> io::Result<bool> {
    match &buffer[..buffer.len().min(2)] {
        b"\r\n" => {
            buffer.advance(2);
            Ok(true)
        }
        b"" | b"\r" => Ok(false),
        _ => Err(malformed("a chunk is longer than it said")),
    }
}

fn take_size(buffer: &mut BytesMut) -> io::Result<Option<u64>> {
    // `httparse` takes a line without a digit for a zero.
    if buffer.first().is_some_and(|b| !b.is_ascii_hexdigit()) {
        return Err(malformed("a chunk has no size"));
    }
    match httparse::parse_chunk_size(buffer) {
        Ok(httparse::Status::Complete((bytes, size))) => {
            buffer.advance(bytes);
            Ok(Some(size))
        }
        Ok(httparse::Status::Partial) if buffer.len() < LINES_BYTES_MAX => Ok(None),
        _ => Err(malformed("the size of a chunk cannot be read")),
    }
}

/// The trailers, of which there may be none.
fn take_trailers(buffer: &mut BytesMut) -> io::Result<Option<HeaderMap>> {
    let mut lines = [httparse::EMPTY_HEADER; TRAILERS_MAX];
    let (bytes, lines) = match httparse::parse_headers(buffer, &mut lines) {
        Ok(httparse::Status::Complete(done)) => done,
        Ok(httparse::Status::Partial) if buffer.len() < LINES_BYTES_MAX => return Ok(None),
        _ => return Err(malformed("the lines behind the last chunk cannot be read")),
    };
    let mut trailers = HeaderMap::new();
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes());
        let value = HeaderValue::from_bytes(line.value);
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(malformed("a line behind the last chunk is no header"));
        };
        trailers.append(name, value);
    }
    buffer.advance(bytes);
    Ok(Some(trailers))
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests;
