//! From where a client goes on.

use axum::extract::FromRequestParts;
use http::request::Parts;
use kernel::Code;

use crate::ProblemReply;

/// The number of the last item that a client has: what an `EventSource` sends as `Last-Event-ID` when
/// it comes back, or `?after=N`. Nothing when it has none. The header counts more: a page's script
/// cannot change the address of an `EventSource` that comes back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LastEventId(pub Option<u64>);

impl LastEventId {
    /// What a request says of it.
    pub fn of(request: &Parts) -> Result<Self, ProblemReply> {
        let header = request.headers.get("last-event-id");
        let text = match header {
            Some(value) => value.to_str().ok().map(str::trim),
            None => request.uri.query().and_then(after),
        };
        match (text, header) {
            (None, None) => Ok(Self(None)),
            // What no event has set is sent as nothing.
            (Some(""), Some(_)) => Ok(Self(None)),
            (text, _) => match text.and_then(|text| text.parse().ok()) {
                Some(number) => Ok(Self(Some(number))),
                None => Err(ProblemReply::new(
                    Code::BadRequest,
                    "Last-Event-ID (or after=N) is the number of an item; leave it out to begin with \
                     what is new",
                )),
            },
        }
    }
}

fn after(query: &str) -> Option<&str> {
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("after="))
}

impl<S: Send + Sync> FromRequestParts<S> for LastEventId {
    type Rejection = ProblemReply;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Self::of(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(uri: &str, header: Option<&str>) -> Result<Option<u64>, ()> {
        let mut request = http::Request::get(uri);
        if let Some(value) = header {
            request = request.header("last-event-id", value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        LastEventId::of(&parts).map(|id| id.0).map_err(|_| ())
    }

    #[test]
    fn the_header_counts_more_than_the_query_and_nonsense_is_refused() {
        assert_eq!(asked("/feed", None), Ok(None));
        assert_eq!(asked("/feed?x=1&after=7", None), Ok(Some(7)));
        assert_eq!(asked("/feed?after=7", Some("9")), Ok(Some(9)));
        assert_eq!(asked("/feed", Some("")), Ok(None));
        assert_eq!(asked("/feed?after=7", Some("x")), Err(()));
        assert_eq!(asked("/feed?after=", None), Err(()));
    }
}
