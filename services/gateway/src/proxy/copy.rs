//! A request that can be sent once more: no body, and a method that may be repeated.
//!
//! Almost every copy is thrown away unused, so it is one run of bytes: one allocation, no counting
//! of references, no hashing.

use http::{HeaderName, HeaderValue, Method, Uri};
use web::{Body, Request};

/// Enough for the head of most requests.
const BYTES_USUAL: usize = 768;

pub(super) struct Copy {
    method: Method,
    /// The target, then names and values in turn, each after its length.
    bytes: Vec<u8>,
}

impl Copy {
    /// The copy of `request`; its body is not looked at.
    pub(super) fn of(request: &Request) -> Self {
        let mut bytes = Vec::with_capacity(BYTES_USUAL);
        push(
            &mut bytes,
            request
                .uri()
                .path_and_query()
                .map_or("/", |p| p.as_str())
                .as_bytes(),
        );
        for (name, value) in request.headers() {
            push(&mut bytes, name.as_str().as_bytes());
            push(&mut bytes, value.as_bytes());
        }
        Self {
            method: request.method().clone(),
            bytes,
        }
    }

    /// The request anew. `None` cannot happen: what was copied was a request.
    pub(super) fn request(&self) -> Option<Request> {
        let mut rest = self.bytes.as_slice();
        let mut request = Request::new(Body::Empty);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::try_from(pull(&mut rest)?).ok()?;
        while !rest.is_empty() {
            let name = HeaderName::from_bytes(pull(&mut rest)?).ok()?;
            let value = HeaderValue::from_bytes(pull(&mut rest)?).ok()?;
            request.headers_mut().append(name, value);
        }
        Some(request)
    }
}

fn push(bytes: &mut Vec<u8>, part: &[u8]) {
    // No part is longer than a head may be, and that is far below 4 GiB.
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(part);
}

fn pull<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk::<4>()?;
    let (part, tail) = tail.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    *rest = tail;
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_the_request_again() {
        let mut request = Request::new(Body::Empty);
        *request.method_mut() = Method::DELETE;
        *request.uri_mut() = "/a%20b?c=d&e".parse().unwrap();
        for (name, value) in [
            ("host", "a"),
            ("x-two", "1"),
            ("x-two", "2"),
            ("x-none", ""),
        ] {
            request
                .headers_mut()
                .append(name, HeaderValue::from_static(value));
        }
        request
            .headers_mut()
            .append("x-bytes", HeaderValue::from_bytes(b"\xe9t\xe9").unwrap());
        let again = Copy::of(&request).request().unwrap();
        assert_eq!(
            (again.method(), again.uri()),
            (request.method(), request.uri())
        );
        assert_eq!(again.headers(), request.headers());
    }
}
