//! One request after the other: a lane takes what is due, sends it, reads the answer, and records.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use hyper::body::Incoming;

use crate::connection::{Body, Failed, Link};
use crate::handle::Shared;
use crate::plan::{Plan, Protocol};
use crate::queue::{Queue, Shot};
use crate::recorder::{Answer, Kind};

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("tradewind-load/", env!("CARGO_PKG_VERSION")));

/// What the requests to one host have in common.
pub(crate) struct Pool {
    pub(crate) queue: Queue,
    pub(crate) address: String,
    headers: HeaderMap,
}

impl Pool {
    pub(crate) fn new(plan: &Plan, authority: &str, address: String) -> Self {
        let mut headers = plan.headers.clone();
        headers.entry(USER_AGENT).or_insert(AGENT);
        // HTTP/2 takes it from the URL.
        if plan.protocol == Protocol::Http1
            && let Ok(host) = HeaderValue::from_str(authority)
        {
            headers.entry(HOST).or_insert(host);
        }
        Self {
            queue: Queue::new(plan.queue),
            address,
            headers,
        }
    }
}

/// What every request is made of.
pub(crate) struct Template {
    pub(crate) method: Method,
    body: Content,
    pub(crate) timeout: Duration,
    /// What stands in the request line, for each target.
    pub(crate) uris: Vec<Uri>,
}

impl Template {
    pub(crate) fn of(plan: &Plan) -> Self {
        let written = |uri: &Uri| match plan.protocol {
            Protocol::Http2 => uri.clone(),
            Protocol::Http1 => uri
                .path_and_query()
                .cloned()
                .map_or_else(Uri::default, Uri::from),
        };
        Self {
            method: plan.method.clone(),
            body: Content::of(plan),
            timeout: plan.timeout,
            uris: plan
                .targets
                .iter()
                .map(|target| written(target.uri()))
                .collect(),
        }
    }

    fn request(&self, pool: &Pool, target: usize) -> Request<Body> {
        let mut request = Request::new(Body::new(self.body.next()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uris.get(target).cloned().unwrap_or_default();
        *request.headers_mut() = pool.headers.clone();
        request
    }
}

/// What every request carries.
enum Content {
    Same(Bytes),
    /// The text between the places of the number.
    Numbered(Vec<String>, AtomicU64),
}

impl Content {
    fn of(plan: &Plan) -> Self {
        match (plan.numbered_from, std::str::from_utf8(&plan.body)) {
            (Some(first), Ok(text)) => {
                let parts = text.split("{n}").map(str::to_owned).collect();
                Self::Numbered(parts, AtomicU64::new(first))
            }
            _ => Self::Same(plan.body.clone()),
        }
    }

    fn next(&self) -> Bytes {
        match self {
            Self::Same(bytes) => bytes.clone(),
            Self::Numbered(parts, next) => {
                let number = next.fetch_add(1, Ordering::Relaxed).to_string();
                parts.join(&number).into()
            }
        }
    }
}

/// Works through a pool's queue over one connection, alone or among others.
pub(crate) struct Lane {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) template: Arc<Template>,
    pub(crate) link: Arc<Link>,
}

impl Lane {
    /// Never ends by itself.
    pub(crate) async fn run(self) {
        loop {
            let shot = self.pool.queue.next().await;
            let mut pending = Pending {
                shared: &self.shared,
                shot,
                sent: false,
                ended: false,
            };
            let end = self.exchange(&mut pending).await;
            pending.end(end);
        }
    }

    /// Sends a request. A kept connection that turns out to be closed before anything of the request
    /// was sent is replaced, once.
    async fn exchange(&self, pending: &mut Pending<'_>) -> Result<Answer, Failed> {
        let mut request = self.template.request(&self.pool, pending.shot.target);
        let length_sent = request.body().size_hint().exact().unwrap_or(0);
        let mut again = true;
        loop {
            let (mut sender, opened) = self.link.sender().await?;
            let sent = pending.send(opened, length_sent);
            let whole = async {
                let response = sender
                    .send(request)
                    .await
                    .map_err(|mut error| (Failed::from(error.error()), error.take_message()))?;
                let status = response.status().as_u16();
                let bytes = length(response.into_body())
                    .await
                    .map_err(|failed| (failed, None))?;
                Ok(Answer {
                    status,
                    bytes,
                    sent,
                })
            };
            match tokio::time::timeout(self.template.timeout, whole).await {
                Ok(Ok(answer)) => {
                    self.link.keep(sender).await;
                    return Ok(answer);
                }
                Ok(Err((_, Some(unsent)))) if again => {
                    request = unsent;
                    again = false;
                }
                Ok(Err((failed, _))) => return Err(failed),
                Err(_) => {
                    let why = format!("no whole answer within {:?}", self.template.timeout);
                    return Err(Failed {
                        kind: Kind::Timeout,
                        why,
                    });
                }
            }
        }
    }
}

/// A request that was taken from the queue. Dropped before its end, it counts as unfinished.
struct Pending<'a> {
    shared: &'a Shared,
    shot: Shot,
    sent: bool,
    ended: bool,
}

impl Pending<'_> {
    /// Records that it goes out, and answers when; a repeated one is counted already.
    fn send(&mut self, opened: bool, bytes: u64) -> u64 {
        let mut recorder = self.shared.recorder.lock();
        recorder.counts.opened += u64::from(opened);
        let now = self.shared.now();
        if !self.sent {
            self.sent = true;
            recorder.sent(now, self.shot, bytes);
        }
        now
    }

    fn end(mut self, end: Result<Answer, Failed>) {
        self.ended = true;
        let mut recorder = self.shared.recorder.lock();
        let now = self.shared.now();
        match end {
            Ok(answer) => recorder.answered(now, self.shot, answer),
            Err(Failed { kind, why }) => recorder.failed(now, self.shot, kind, &why),
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let mut recorder = self.shared.recorder.lock();
        let now = self.shared.now();
        match self.sent {
            true => recorder.unfinished(now, self.shot),
            false => recorder.left(now, self.shot),
        }
    }
}

/// Reads a body to its end and answers how long it is.
async fn length(mut body: Incoming) -> Result<u64, Failed> {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failed::from(&error))?;
        bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
    Ok(bytes)
}
