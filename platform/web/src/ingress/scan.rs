//! One pass over the headers that tells which of the interesting ones are there.

use http::{HeaderMap, HeaderName, header};

/// Which interesting headers a request has: so that the usual request costs one pass, no look-ups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen(u16);

impl Seen {
    /// Some `x-tradewind-*`.
    pub const INTERNAL: Self = Self(1);
    /// `Authorization`.
    pub const AUTHORIZATION: Self = Self(1 << 1);
    /// `Forwarded`, `X-Forwarded-*`, `X-Real-IP`.
    pub const FORWARDED: Self = Self(1 << 2);
    /// `X-Request-Id`.
    pub const REQUEST_ID: Self = Self(1 << 3);
    /// `traceparent`.
    pub const TRACE: Self = Self(1 << 4);
    /// `Origin` or `Sec-Fetch-Site`: a browser.
    pub const BROWSER: Self = Self(1 << 5);
    /// `Upgrade`.
    pub const UPGRADE: Self = Self(1 << 6);
    /// `Connection`, `Keep-Alive`, `TE` and their like: for this hop only.
    pub const HOP: Self = Self(1 << 7);
    /// `Host`.
    pub const HOST: Self = Self(1 << 8);
    /// A second `Host`.
    pub const SECOND_HOST: Self = Self(1 << 9);
    /// `Transfer-Encoding`.
    pub const TRANSFER_ENCODING: Self = Self(1 << 10);
    /// `Content-Length`.
    pub const CONTENT_LENGTH: Self = Self(1 << 11);
    /// `Idempotency-Key`.
    pub const IDEMPOTENCY_KEY: Self = Self(1 << 12);

    /// Looks at every header once.
    #[must_use]
    pub fn scan(headers: &HeaderMap) -> Self {
        let mut seen = 0;
        for (name, _) in headers {
            let bit = Self::of(name).0;
            if bit == Self::HOST.0 && seen & bit != 0 {
                seen |= Self::SECOND_HOST.0;
            }
            seen |= bit;
        }
        Self(seen)
    }

    /// Whether these were seen.
    #[must_use]
    pub const fn has(self, which: Self) -> bool {
        self.0 & which.0 != 0
    }

    /// Which of them a header of this name is; none of them, if it is not interesting.
    #[must_use]
    pub fn of(name: &HeaderName) -> Self {
        let text = name.as_str();
        match text.as_bytes().first() {
            Some(b'h') if *name == header::HOST => Self::HOST,
            Some(b'a') if *name == header::AUTHORIZATION => Self::AUTHORIZATION,
            Some(b'c') if *name == header::CONNECTION => Self::HOP,
            Some(b'c') if *name == header::CONTENT_LENGTH => Self::CONTENT_LENGTH,
            Some(b't') => match text {
                "transfer-encoding" => Self::TRANSFER_ENCODING,
                "traceparent" | "tracestate" => Self::TRACE,
                "te" | "trailer" => Self::HOP,
                _ => Self(0),
            },
            Some(b'x') if text.starts_with("x-tradewind-") => Self::INTERNAL,
            Some(b'x') if text.starts_with("x-forwarded-") || text == "x-real-ip" => {
                Self::FORWARDED
            }
            Some(b'x') if text == "x-request-id" => Self::REQUEST_ID,
            Some(b'f') if *name == header::FORWARDED => Self::FORWARDED,
            Some(b'o') if *name == header::ORIGIN => Self::BROWSER,
            Some(b's') if text == "sec-fetch-site" => Self::BROWSER,
            Some(b'u') if *name == header::UPGRADE => Self::UPGRADE,
            Some(b'k') if text == "keep-alive" => Self::HOP,
            Some(b'p') if text.starts_with("proxy-") => Self::HOP,
            Some(b'i') if text == "idempotency-key" => Self::IDEMPOTENCY_KEY,
            _ => Self(0),
        }
    }
}

impl std::ops::BitOr for Seen {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
