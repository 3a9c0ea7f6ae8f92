//! Concurrent clients that write, each noting what it was told.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use kernel::{Random, SeededRandom};
use serde_json::{Value, json};
use testkit::Client;
use tokio_util::sync::CancellationToken;

use super::history::{Clicks, Create, History, Told};
use crate::BROWSER;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The click limit of limited links: small, so that it is reached before the kill.
pub(crate) const LIMIT: u64 = 7;

/// One client of a round.
pub(crate) struct Worker {
    pub(crate) client: Client,
    /// What its links and keys begin with: unique over all rounds.
    pub(crate) name: String,
    pub(crate) tag: String,
    pub(crate) random: SeededRandom,
    pub(crate) stop: CancellationToken,
}

impl Worker {
    /// Writes until told to stop, or until nobody answers any more.
    pub(crate) async fn run(self) -> History {
        let mut history = History::default();
        let mut number = 0;
        while !self.stop.is_cancelled() {
            number += 1;
            let limited = self.random.below(4) == 0;
            let create = self.create(number, limited).await;
            let (told, code) = (create.told, create.code.clone());
            history.creates.push(create);
            if told == Told::Unknown {
                break;
            }
            let Some(code) = code else { continue };
            if limited {
                history.limits.insert(code.clone(), LIMIT);
            }
            let visits = if limited {
                LIMIT + 3
            } else {
                self.random.below(6)
            };
            let clicks = history.clicks.entry(code.clone()).or_default();
            if !self.visit(&code, visits, clicks).await {
                break;
            }
        }
        history
    }

    async fn create(&self, number: u64, limited: bool) -> Create {
        let target = format!("https://example.com/{}/{number}", self.name);
        let key = format!("{}-{number}", self.name);
        let mut link = json!({ "url": target, "tags": [self.tag] });
        if limited {
            link["max_clicks"] = Value::from(LIMIT);
        }
        let (told, code) = send_create(&self.client, &key, &link).await;
        Create {
            target,
            key,
            link,
            code,
            told,
        }
    }

    /// Visits `code`; false when an answer did not come.
    async fn visit(&self, code: &str, times: u64, clicks: &mut Clicks) -> bool {
        for _ in 0..times {
            clicks.attempted += 1;
            let path = format!("/{code}");
            let headers = [("user-agent", BROWSER)];
            let sent = self.client.send(Method::GET, &path, &headers, "");
            match tokio::time::timeout(ANSWER_WITHIN, sent).await {
                Ok(Ok(reply)) if reply.status == StatusCode::FOUND => clicks.redirected += 1,
                Ok(Ok(reply)) if reply.status == StatusCode::GONE => {}
                // While processes die, the gateway may have nobody to ask.
                Ok(Ok(reply)) if reply.status.is_server_error() => {}
                Ok(Ok(reply)) => panic!("GET {path}: {} {}", reply.status, reply.text()),
                Ok(Err(_)) | Err(_) => return false,
            }
        }
        true
    }
}

/// Asks for a link under a key: what was told, and the code.
pub(crate) async fn send_create(
    client: &Client,
    key: &str,
    link: &Value,
) -> (Told, Option<String>) {
    let headers = [("idempotency-key", key)];
    let sent = client.json_with(Method::POST, "/api/links", &headers, link);
    match tokio::time::timeout(ANSWER_WITHIN, sent).await {
        Ok(Ok(reply)) if reply.status == StatusCode::CREATED => {
            let code = reply.json()["code"]
                .as_str()
                .expect("a link has a code")
                .to_owned();
            (Told::Done, Some(code))
        }
        // Another process may still have had the request in its hands.
        Ok(Ok(reply)) if reply.status.is_server_error() || reply.status == StatusCode::CONFLICT => {
            (Told::Unknown, None)
        }
        Ok(Ok(reply)) => panic!("POST /api/links: {} {}", reply.status, reply.text()),
        Ok(Err(_)) | Err(_) => (Told::Unknown, None),
    }
}

/// The clients of one round, each with randomness of its own.
pub(crate) fn workers(
    client: &Client,
    round: u32,
    count: u64,
    random: &SeededRandom,
    stop: &CancellationToken,
) -> Vec<Worker> {
    let tag: Arc<str> = format!("round-{round}").into();
    (0..count)
        .map(|number| Worker {
            client: client.clone(),
            name: format!("r{round}c{number}"),
            tag: tag.to_string(),
            random: SeededRandom::new(random.next_u64()),
            stop: stop.clone(),
        })
        .collect()
}
