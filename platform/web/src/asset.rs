//! Static files out of memory: ETag, cache headers, and the headers that keep a page safe.

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use kernel::Code;
use sha2::{Digest as _, Sha256};

use crate::{Body, ProblemReply, Request, Response};

/// Only what we serve ourselves may run, load or be sent anywhere.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// One file.
#[derive(Debug, Clone)]
pub struct Asset {
    content_type: HeaderValue,
    etag: HeaderValue,
    content: Bytes,
}

impl Asset {
    /// A file with this content.
    #[must_use]
    pub fn new(content_type: HeaderValue, content: Bytes) -> Self {
        let hash = Sha256::digest(&content);
        let mut tag = String::from("\"");
        for byte in &hash[..12] {
            tag.push_str(&format!("{byte:02x}"));
        }
        tag.push('"');
        let etag = HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"0\""));
        Self {
            content_type,
            etag,
            content,
        }
    }

    /// The answer to a GET or HEAD with these headers: 200, or 304 when the client has it.
    #[must_use]
    pub fn answer(&self, method: &Method, asked: &HeaderMap) -> Response {
        if method != Method::GET && method != Method::HEAD {
            let mut refused = ProblemReply::new(Code::BadRequest, "this can only be read; use GET")
                .with_status(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "method_not_allowed",
                    "Method not allowed",
                )
                .into_web();
            refused
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        let fresh = asked
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .any(|v| self.matches(v));
        let mut response = Response::new(Body::Empty);
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        secure(headers);
        if fresh {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(header::CONTENT_TYPE, self.content_type.clone());
        *response.body_mut() = Body::Full(self.content.clone());
        response
    }

    fn matches(&self, asked: &HeaderValue) -> bool {
        let ours = self.etag.as_bytes();
        asked.as_bytes().split(|b| *b == b',').any(|tag| {
            let tag = tag.trim_ascii();
            tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == ours
        })
    }
}

/// Headers that every page of ours carries.
fn secure(headers: &mut HeaderMap) {
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONTENT_SECURITY_POLICY),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
}

/// Files by path.
#[derive(Debug, Clone, Default)]
pub struct Assets(HashMap<&'static str, Asset>);

impl Assets {
    /// No files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with `content` at `path` (with its leading slash). The type follows the file's ending.
    #[must_use]
    pub fn with(mut self, path: &'static str, content: &'static [u8]) -> Self {
        let asset = Asset::new(content_type(path), Bytes::from_static(content));
        self.0.insert(path, asset);
        self
    }

    /// The file at `path`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Asset> {
        self.0.get(path)
    }

    /// The answer to `request`; 404 as a problem if there is no such file.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Response {
        match self.get(request.uri().path()) {
            Some(asset) => asset.answer(request.method(), request.headers()),
            None => ProblemReply::new(Code::NotFound, "there is no such page").into_web(),
        }
    }
}

fn content_type(path: &str) -> HeaderValue {
    let ending = path.rsplit('.').next().unwrap_or_default();
    HeaderValue::from_static(match ending {
        "html" | "/" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    })
}
