//! Concurrent clients that make, visit, edit and remove links, each noting what it was told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use kernel::{Random, SeededRandom};
use serde_json::{Value, json};
use testkit::Client;
use tokio_util::sync::CancellationToken;

use super::history::{Change, Clicks, History, Link, Told, Want};
use crate::BROWSER;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The click limit of limited links: small, so that it is reached before the kill.
const LIMIT: u64 = 7;
/// What is added to it by an edit.
const MORE: u64 = 2;

/// What the clients of one round share.
#[derive(Clone)]
pub(crate) struct Crowd {
    pub(crate) client: Client,
    /// The tag of every link of the round.
    pub(crate) tag: String,
    /// Asks them to stop.
    pub(crate) stop: CancellationToken,
    /// How many requests were answered as wished.
    pub(crate) answered: Arc<AtomicU64>,
}

/// One client of a round. It owns the links that it makes.
pub(crate) struct Worker {
    pub(crate) crowd: Crowd,
    /// What its links and keys begin with: unique over all rounds.
    pub(crate) name: String,
    pub(crate) random: SeededRandom,
}

impl Worker {
    /// Works until told to stop, or until nobody answers any more.
    pub(crate) async fn run(self) -> History {
        let mut history = History::default();
        let mut number = 0;
        while !self.crowd.stop.is_cancelled() {
            number += 1;
            let mut link = self.link(number);
            let goes_on = self.life(&mut link).await;
            history.links.push(link);
            if !goes_on {
                break;
            }
        }
        history
    }

    fn link(&self, number: u64) -> Link {
        let name = format!("{}-{number}", self.name);
        let url = format!("https://example.com/{name}/old");
        let mut body = json!({ "url": url, "title": name, "tags": [self.crowd.tag] });
        if self.random.below(4) == 0 {
            body["max_clicks"] = LIMIT.into();
        }
        Link {
            key: name.clone(),
            name,
            body,
            code: None,
            told: Told::Unknown,
            changes: Vec::new(),
            clicks: Clicks::default(),
        }
    }

    /// Makes a link, visits and changes it; false when an answer did not come.
    async fn life(&self, link: &mut Link) -> bool {
        send_create(&self.crowd.client, link).await;
        let Some(code) = link.code.clone() else {
            return link.told != Told::Unknown;
        };
        self.note();
        let visits = match link.limit() {
            Some(limit) => limit + 3,
            None => self.random.below(6),
        };
        if !self.visit(&code, visits, &mut link.clicks).await {
            return false;
        }
        let limited = link.limit().is_some();
        let want = match self.random.below(8) {
            0 | 1 => Want::Target(format!("https://example.com/{}/new", link.name)),
            2 | 3 if limited => Want::Limit(LIMIT + MORE),
            4 => Want::Gone,
            5 => return self.read(&code, &mut link.clicks).await,
            _ => return true,
        };
        let mut change = Change {
            key: format!("{}-change", link.name),
            want,
            told: Told::Unknown,
        };
        send_change(&self.crowd.client, &code, &mut change).await;
        let (told, gone) = (change.told, change.want == Want::Gone);
        link.changes.push(change);
        if told == Told::Unknown {
            return false;
        }
        self.note();
        gone || self.visit(&code, MORE + 1, &mut link.clicks).await
    }

    /// Visits `code`; false when an answer did not come.
    async fn visit(&self, code: &str, times: u64, clicks: &mut Clicks) -> bool {
        for _ in 0..times {
            clicks.attempted += 1;
            let path = format!("/{code}");
            let headers = [("user-agent", BROWSER)];
            let sent = self.crowd.client.send(Method::GET, &path, &headers, "");
            match tokio::time::timeout(ANSWER_WITHIN, sent).await {
                Ok(Ok(reply)) if reply.status == StatusCode::FOUND => {
                    clicks.redirected += 1;
                    self.note();
                }
                Ok(Ok(reply)) if reply.status == StatusCode::GONE => {}
                // While processes die, the gateway may have nobody to ask.
                Ok(Ok(reply)) if reply.status.is_server_error() => {}
                Ok(Ok(reply)) => panic!("GET {path}: {} {}", reply.status, reply.text()),
                Ok(Err(_)) | Err(_) => return false,
            }
        }
        true
    }

    /// Reads the count of `code`: no crash takes back what was shown.
    async fn read(&self, code: &str, clicks: &mut Clicks) -> bool {
        let counted = count(&self.crowd.client, code).await;
        clicks.sure = clicks.sure.max(counted.unwrap_or(0));
        counted.is_some()
    }

    fn note(&self) {
        self.crowd.answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// The clicks that are counted on a link; nothing when no answer came.
pub(crate) async fn count(client: &Client, code: &str) -> Option<u64> {
    let path = format!("/api/links/{code}/stats");
    let reply = tokio::time::timeout(ANSWER_WITHIN, client.get(&path)).await;
    let reply = reply.ok()?.ok()?;
    reply.json()["total_clicks"].as_u64()
}

/// Asks for a link under its key, and notes what was told.
pub(crate) async fn send_create(client: &Client, link: &mut Link) {
    let (told, answer) = ask(client, (Method::POST, "/api/links"), &link.key, &link.body).await;
    link.told = told;
    link.code = answer["code"].as_str().map(str::to_owned);
}

/// Asks for a change under its key, and notes what was told.
pub(crate) async fn send_change(client: &Client, code: &str, change: &mut Change) {
    let (method, body) = match &change.want {
        Want::Target(url) => (Method::PATCH, json!({ "url": url })),
        Want::Limit(limit) => (Method::PATCH, json!({ "max_clicks": limit })),
        Want::Gone => (Method::DELETE, Value::Null),
    };
    let path = format!("/api/links/{code}");
    (change.told, _) = ask(client, (method, &path), &change.key, &body).await;
}

/// Sends a mutation: what was told, and the answer.
async fn ask(
    client: &Client,
    (method, path): (Method, &str),
    key: &str,
    body: &Value,
) -> (Told, Value) {
    let headers = [
        ("idempotency-key", key),
        ("content-type", "application/json"),
    ];
    let text = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let sent = client.send(method.clone(), path, &headers, text);
    match tokio::time::timeout(ANSWER_WITHIN, sent).await {
        Ok(Ok(reply)) if reply.status.is_success() => (Told::Done, reply.json()),
        // Another process may still have had the request in its hands.
        Ok(Ok(reply)) if reply.status.is_server_error() || reply.status == StatusCode::CONFLICT => {
            (Told::Unknown, Value::Null)
        }
        Ok(Ok(reply)) => panic!("{method} {path}: {} {}", reply.status, reply.text()),
        Ok(Err(_)) | Err(_) => (Told::Unknown, Value::Null),
    }
}
