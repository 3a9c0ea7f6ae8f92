//! A request in the form in which it goes over the wire, and how much of it has gone.

use std::io::{self, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body::Body;
use tokio::io::AsyncWrite;

use super::BoxError;

/// Data of up to so many bytes is copied behind what goes before it, and leaves with it in one
/// piece; a larger piece is written from where it lies.
const COPIED_BYTES_MAX: usize = 16 * 1024;

const LINE_END: &[u8] = b"\r\n";
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
const LAST_OF_ALL: &[u8] = b"\r\n0\r\n\r\n";

/// The head of a request: the request line and header lines, without those that frame the body.
#[derive(Debug, Clone)]
pub struct RequestHead {
    lines: Vec<u8>,
    method: Method,
    /// Some length was stated, be it of nothing.
    has_length: bool,
}

impl RequestHead {
    /// The request line. Of `uri`, path and query are sent (origin form), as they stand.
    #[must_use]
    pub fn new(method: Method, uri: &Uri) -> Self {
        let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let mut lines = Vec::with_capacity(512);
        lines.extend_from_slice(method.as_str().as_bytes());
        lines.push(b' ');
        lines.extend_from_slice(target.as_bytes());
        lines.extend_from_slice(b" HTTP/1.1\r\n");
        Self {
            lines,
            method,
            has_length: false,
        }
    }

    /// One more header. `content-length` and `transfer-encoding` are left out: the body says them.
    pub fn header(&mut self, name: &HeaderName, value: &HeaderValue) {
        if *name == header::CONTENT_LENGTH {
            self.has_length = true;
        } else if *name != header::TRANSFER_ENCODING {
            self.line(name, value.as_bytes());
        }
    }

    /// One more header, from text: no value is made for it. What is not visible ASCII is left out
    /// together with its name.
    pub fn text(&mut self, name: &HeaderName, value: &[u8]) {
        // Looks at all of it, without a way out in between: so many bytes are looked at at a time.
        let odd = value.iter().fold(0, |odd, b| {
            odd | (u8::from(b.wrapping_sub(b' ') > b'~' - b' ') & u8::from(*b != b'\t'))
        });
        if odd == 0 {
            self.line(name, value);
        }
    }

    /// The lines so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.lines
    }

    fn line(&mut self, name: &HeaderName, value: &[u8]) {
        push_line(&mut self.lines, name, value);
    }

    /// Says where the body ends (RFC 9112, section 6), and ends the head.
    fn end(&mut self, framing: Framing) {
        let sends_content = matches!(self.method, Method::POST | Method::PUT | Method::PATCH);
        match framing {
            Framing::Length(0) if !self.has_length && !sends_content => {}
            Framing::Length(bytes) => {
                // Writing to memory cannot fail.
                let _ = write!(self.lines, "content-length: {bytes}\r\n");
            }
            Framing::Chunked => self.line(&header::TRANSFER_ENCODING, b"chunked"),
        }
        self.lines.extend_from_slice(LINE_END);
    }
}

fn push_line(lines: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    lines.extend_from_slice(name.as_str().as_bytes());
    lines.extend_from_slice(b": ");
    lines.extend_from_slice(value);
    lines.extend_from_slice(LINE_END);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// So many bytes are still to come from the body.
    Length(u64),
    Chunked,
}

/// A request on its way. It belongs to no connection: until something of it has been sent it can
/// go to any.
pub struct Outgoing<B> {
    /// Written next: the head, and small pieces of the body behind it.
    wire: Vec<u8>,
    written: usize,
    /// Where the last line of the head ended before anything was added.
    lines_end: usize,
    /// Written after `wire`.
    large: Option<Bytes>,
    /// Written after `large`.
    tail: &'static [u8],
    body: B,
    framing: Framing,
    /// The body has ended; what is left of it lies ready to be written.
    ended: bool,
    /// The first piece of the body has been asked for.
    begun: bool,
    /// Something has been sent.
    touched: bool,
    /// The body itself ended in an error.
    broken: bool,
    /// There is no body.
    empty: bool,
    is_head: bool,
}

impl<B> Outgoing<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    /// `body` behind `head`.
    #[must_use]
    pub fn new(mut head: RequestHead, body: B) -> Self {
        let ended = body.is_end_stream();
        let framing = match body.size_hint().exact() {
            _ if ended => Framing::Length(0),
            Some(bytes) => Framing::Length(bytes),
            None => Framing::Chunked,
        };
        head.end(framing);
        Self {
            written: 0,
            lines_end: head.lines.len() - LINE_END.len(),
            large: None,
            tail: b"",
            body,
            framing,
            ended,
            begun: false,
            touched: false,
            broken: false,
            empty: ended,
            is_head: head.method == Method::HEAD,
            wire: head.lines,
        }
    }

    /// Whether it can be sent as it is: nothing of it has been sent yet.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        !self.touched && !self.broken
    }

    /// Whether its body ended in an error of its own.
    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// The same once more, as long as it has no body: what was sent of a body is gone. One header is
    /// added, in place of what was added the last time.
    #[must_use]
    pub fn again(mut self, added: Option<(&HeaderName, &HeaderValue)>) -> Option<Self> {
        if !self.empty {
            return None;
        }
        if let Some((name, value)) = added {
            self.wire.truncate(self.lines_end);
            push_line(&mut self.wire, name, value.as_bytes());
            self.wire.extend_from_slice(LINE_END);
        }
        (self.written, self.touched) = (0, false);
        Some(self)
    }

    pub(super) const fn is_head(&self) -> bool {
        self.is_head
    }

    /// Whether all of it has been sent.
    pub(super) fn is_sent(&self) -> bool {
        self.ended && self.piece().is_none()
    }

    fn piece(&self) -> Option<&[u8]> {
        let wire = &self.wire[self.written..];
        let large = self.large.as_deref().unwrap_or_default();
        [wire, large, self.tail].into_iter().find(|p| !p.is_empty())
    }
}

impl<B> Outgoing<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// Sends what can be sent; ready once all has been.
    pub(super) fn poll_send<S: AsyncWrite>(
        &mut self,
        mut stream: Pin<&mut S>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        // The first piece of a body leaves with the head if it is there already.
        if !self.ended
            && !std::mem::replace(&mut self.begun, true)
            && let Poll::Ready(filled) = self.poll_fill(cx)
        {
            filled?;
        }
        loop {
            ready!(self.poll_write(stream.as_mut(), cx))?;
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_fill(cx))?;
        }
    }

    /// Writes what lies ready.
    fn poll_write<S: AsyncWrite>(
        &mut self,
        mut stream: Pin<&mut S>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(piece) = self.piece() {
            let sent = ready!(stream.as_mut().poll_write(cx, piece))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.touched = true;
            self.note(sent);
        }
        Poll::Ready(Ok(()))
    }

    fn note(&mut self, sent: usize) {
        if self.written < self.wire.len() {
            self.written += sent;
        } else if let Some(large) = &mut self.large {
            large.advance(sent);
            self.large.take_if(|l| l.is_empty());
        } else {
            self.tail = &self.tail[sent..];
        }
    }

    /// Takes the next piece of the body, or its end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
            let taken = match frame {
                Some(Err(error)) => Err(io::Error::other(error)),
                None => self.end(),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => self.take(data),
                    // A request has no trailers here: they would have to be announced.
                    _ => continue,
                },
            };
            self.broken = taken.is_err();
            return Poll::Ready(taken);
        }
    }

    fn take(&mut self, data: Bytes) -> io::Result<()> {
        if self.written == self.wire.len() {
            self.wire.clear();
            self.written = 0;
        }
        match &mut self.framing {
            Framing::Length(left) => {
                let after = left.checked_sub(data.len() as u64);
                *left = after.ok_or_else(|| wrong_length("longer"))?;
                self.ended = *left == 0;
            }
            Framing::Chunked => {
                // Writing to memory cannot fail.
                let _ = write!(self.wire, "{:x}\r\n", data.len());
                self.ended = self.body.is_end_stream();
                self.tail = if self.ended { LAST_OF_ALL } else { LINE_END };
            }
        }
        if data.len() <= COPIED_BYTES_MAX {
            self.wire.extend_from_slice(&data);
            self.wire.extend_from_slice(std::mem::take(&mut self.tail));
        } else {
            self.large = Some(data);
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.ended = true;
        match self.framing {
            Framing::Length(0) => Ok(()),
            Framing::Length(_) => Err(wrong_length("shorter")),
            Framing::Chunked => {
                self.tail = LAST_CHUNK;
                Ok(())
            }
        }
    }
}

fn wrong_length(how: &str) -> io::Error {
    io::Error::other(format!("the request's body is {how} than it said"))
}

impl<B> From<Request<B>> for Outgoing<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    /// The URI is sent in origin form.
    fn from(request: Request<B>) -> Self {
        let (parts, body) = request.into_parts();
        let mut head = RequestHead::new(parts.method, &parts.uri);
        for (name, value) in &parts.headers {
            head.header(name, value);
        }
        Self::new(head, body)
    }
}

#[cfg(test)]
mod tests;
