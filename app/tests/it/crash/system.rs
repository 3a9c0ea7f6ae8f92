//! The program under test: started, asked, and killed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use http::Method;
use serde_json::{Value, json};
use storage::{Db, DbOptions, Sql, Tx};
use testkit::{Client, eventually};
use tokio_util::sync::CancellationToken;

use super::history::{Found, History, State};
use super::workload::count;
use crate::program::Program;

const SETTLE_WITHIN: Duration = Duration::from_secs(30);
/// The lease of a dead process lasts half of it.
const FOLD_WITHIN: Duration = Duration::from_secs(60);
/// How many counts are asked for at once.
const AT_ONCE: usize = 8;
const FOLD: Sql = Sql::both("SELECT generation, runs FROM click_fold WHERE one = 1");
const WAITING: Sql = Sql::both("SELECT count(*) FROM click_batches");
const METRICS: &str = "/metrics";
const COMMITTED: &str = "links_clicks_committed_total ";

/// When a redirect may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recording {
    /// Its click is committed.
    Durable,
    /// Its click waits for the next group.
    Grouped,
}

/// What is started, again and again, on the same data.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) data: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) recording: Recording,
    /// The URL and the schema of the links' database.
    pub(crate) store: (String, String),
}

/// A running system.
pub(crate) struct System {
    pub(crate) program: Program,
    pub(crate) client: Client,
}

impl System {
    pub(crate) async fn start(setup: &Setup) -> Self {
        let program = Program::up(&setup.data, &setup.args, &setup.env);
        let client = Client::new(program.url("gateway"));
        let system = Self { program, client };
        if setup.recording == Recording::Durable {
            system.count_durably(setup).await;
        }
        system
    }

    /// A click is committed before it is answered, so that every redirect told must be counted.
    async fn count_durably(&self, setup: &Setup) {
        let secret = std::fs::read_to_string(setup.data.join("cluster.secret"));
        let secret = secret.expect("the secret");
        let admin = Client::new(self.program.url("admin"));
        let headers = [("x-tradewind-cluster", secret.trim())];
        let set = json!({ "service": "links", "name": "clicks", "value": "durable" });
        let knobs = || async {
            let knobs = admin.send(Method::GET, "/system/knobs", &headers, "").await;
            knobs.map(|reply| reply.json()).unwrap_or_default()
        };
        let is_durable = |knobs: &Value| {
            let durable = |k: &Value| k["name"] == "clicks" && k["value"] == "durable";
            let agreed = |k: &Value| durable(k) && k["mixed"] == false;
            knobs
                .as_array()
                .is_some_and(|knobs| knobs.iter().any(agreed))
        };
        if !is_durable(&knobs().await) {
            let turned = admin
                .json_with(Method::POST, "/system/knobs", &headers, &set)
                .await;
            assert_eq!(turned.expect("the admin answers").status, 200);
            eventually("every replica counts durably", SETTLE_WITHIN, || async {
                is_durable(&knobs().await)
            })
            .await;
        }
    }

    /// Waits until clicks are being folded and a moment longer, and stops every process there.
    /// Answers whether the fold is open for sure: it may be over, and there may be nothing to fold.
    pub(crate) async fn freeze_in_fold(&mut self, setup: &Setup, moment: Duration) -> bool {
        let (url, schema) = &setup.store;
        let db = Db::open(url, DbOptions::new(schema)).await;
        let db = db.expect("the store can be read");
        let before = Fold::read(&db).await;
        let start = Instant::now();
        loop {
            let now = Fold::read(&db).await;
            if now.is_open || now.generation > before.generation || now.waiting == 0 {
                break;
            }
            assert!(start.elapsed() < FOLD_WITHIN, "no fold begins: {now:?}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(moment).await;
        self.program.freeze();
        Fold::read(&db).await.is_open
    }

    /// Waits until the program has committed `clicks`.
    pub(crate) async fn until_committed(&self, clicks: u64) {
        let metrics = self.metrics();
        eventually("all groups are committed", SETTLE_WITHIN, || async {
            committed(&metrics).await.is_some_and(|n| n >= clicks)
        })
        .await;
    }

    /// Talks to the listener that gives the metrics.
    pub(crate) fn metrics(&self) -> Client {
        Client::new(self.program.url("metrics").trim_end_matches(METRICS))
    }

    /// Notes what the program calls committed until it is gone.
    pub(crate) async fn watch_commits(
        metrics: Client,
        seen: Arc<AtomicU64>,
        end: CancellationToken,
    ) {
        while !end.is_cancelled() {
            let Some(clicks) = committed(&metrics).await else {
                return;
            };
            seen.fetch_max(clicks, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What is there of one round.
    pub(crate) async fn state(&self, tag: &str, history: &History) -> State {
        let links = self.links(tag).await;
        let known = history.links.iter().filter_map(|link| link.code.as_ref());
        let there = known.filter(|code| links.iter().any(|found| found.code == **code));
        let clicks = futures_util::stream::iter(there.cloned())
            .map(|code| async {
                let counted = count(&self.client, &code).await.expect("a count");
                (code, counted)
            })
            .buffer_unordered(AT_ONCE);
        let clicks = clicks.collect().await;
        State { links, clicks }
    }

    /// The same by the list alone, whose counts are those of the last fold.
    pub(crate) async fn folded(&self, tag: &str) -> State {
        let (mut links, mut clicks) = (Vec::new(), State::default().clicks);
        for item in self.items(tag).await {
            let link = found(&item);
            let counted = item["clicks"].as_u64().expect("a number");
            clicks.insert(link.code.clone(), counted);
            links.push(link);
        }
        State { links, clicks }
    }

    async fn links(&self, tag: &str) -> Vec<Found> {
        self.items(tag).await.iter().map(found).collect()
    }

    async fn items(&self, tag: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/links?limit=200&tag={tag}{cursor}");
            let page = self.client.get(&path).await.expect("answers");
            assert_eq!(page.status, 200, "{}", page.text());
            let page = page.json();
            items.extend(page["items"].as_array().expect("items").clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }
}

fn found(item: &Value) -> Found {
    let text = |name: &str| item[name].as_str().expect("text").to_owned();
    let limit = item["max_clicks"].as_u64();
    Found {
        name: text("title"),
        code: text("code"),
        target: text("url"),
        version: item["version"].as_u64().expect("a version"),
        limit: limit.map(|max| (max, item["clicks_left"].as_u64().expect("what is left"))),
    }
}

/// The state of the fold: no answer tells, so its place in the store is read.
#[derive(Debug)]
struct Fold {
    generation: i64,
    is_open: bool,
    /// Groups that are not folded.
    waiting: i64,
}

impl Fold {
    async fn read(db: &Db) -> Self {
        let read = async |tx: &mut Tx<'_>| {
            let fold = tx.query_one(&FOLD, &[]).await?;
            let runs: String = fold.get(1)?;
            Ok(Self {
                generation: fold.get(0)?,
                is_open: runs != "[]",
                waiting: tx.query_one(&WAITING, &[]).await?.get(0)?,
            })
        };
        let fold = db.read::<_, storage::Error, _>(read).await;
        fold.expect("the store can be read")
    }
}

/// How many clicks the program calls committed; nothing when it does not answer.
async fn committed(metrics: &Client) -> Option<u64> {
    let text = metrics.get(METRICS).await.ok()?.text();
    let line = text.lines().find_map(|line| line.strip_prefix(COMMITTED))?;
    line.trim().parse().ok()
}
