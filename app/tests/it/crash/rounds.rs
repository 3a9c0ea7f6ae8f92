//! Rounds of start, load, SIGKILL and reconciliation, all on one data directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Method;
use kernel::{Random, SeededRandom, Tasks};
use serde_json::{Value, json};
use testkit::{Client, eventually};
use tokio_util::sync::CancellationToken;

use super::checker::contradictions;
use super::history::{Clicks, History, State, Told};
use super::workload::{send_create, workers};
use crate::program::Program;

const WORKERS: u64 = 6;
/// The load lasts between these before the kill, in milliseconds.
const LOAD_MS: (u64, u64) = (10, 220);
const SETTLE_WITHIN: Duration = Duration::from_secs(30);

/// A data directory that is crashed upon again and again.
pub(crate) struct Rounds {
    data: PathBuf,
    args: Vec<String>,
    random: SeededRandom,
    round: u32,
    /// Everything since the first round.
    all: History,
    /// How often a client did not know, and asked again.
    asked_again: u32,
}

impl Rounds {
    pub(crate) fn new(data: &Path, args: &[&str], seed: u64) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let random = SeededRandom::new(seed);
        Self {
            data: data.to_owned(),
            args,
            random,
            round: 0,
            all: History::default(),
            asked_again: 0,
        }
    }

    /// One round: start, reconcile the round before, load, kill.
    pub(crate) async fn one(&mut self) {
        let system = System::start(&self.data, &self.args).await;
        self.reconcile(&system, self.round).await;
        self.round += 1;
        let stop = CancellationToken::new();
        let tasks = Tasks::new();
        let running: Vec<_> = workers(&system.client, self.round, WORKERS, &self.random, &stop)
            .into_iter()
            .map(|worker| tasks.spawn(worker.run()))
            .collect();
        let load = LOAD_MS.0 + self.random.below(LOAD_MS.1 - LOAD_MS.0);
        tokio::time::sleep(Duration::from_millis(load)).await;
        system.crash().await;
        stop.cancel();
        for worker in running {
            self.all
                .absorb(worker.await.expect("a client tells what it saw"));
        }
    }

    /// Looks once more at everything that was ever told.
    pub(crate) async fn reconcile_all(&mut self) {
        let system = System::start(&self.data, &self.args).await;
        for round in 1..=self.round {
            self.reconcile(&system, round).await;
        }
    }

    /// Fails if the kills hit an idle system: then nothing was shown.
    pub(crate) fn was_under_load(&self) {
        let made = self.all.creates.iter().any(|c| c.told == Told::Done);
        let redirected = self.all.clicks.values().any(|c| c.redirected > 0);
        assert!(made && redirected, "no load: {}", self.summary());
    }

    /// What was done, in a line.
    pub(crate) fn summary(&self) -> String {
        let links = self
            .all
            .creates
            .iter()
            .filter(|c| c.told == Told::Done)
            .count();
        let redirected: u64 = self
            .all
            .clicks
            .values()
            .map(|clicks| clicks.redirected)
            .sum();
        let (kills, again) = (self.round, self.asked_again);
        format!(
            "{kills} kills, {links} links, {again} of them asked for again, {redirected} clicks"
        )
    }

    async fn reconcile(&mut self, system: &System, round: u32) {
        if round == 0 {
            return;
        }
        let prefix = format!("https://example.com/r{round}c");
        // Whoever does not know asks again under the same key, and must end up with one link.
        for create in self
            .all
            .creates
            .iter_mut()
            .filter(|c| c.target.starts_with(&prefix))
        {
            if create.told == Told::Unknown {
                let (told, code) = send_create(&system.client, &create.key, &create.link).await;
                assert_eq!(told, Told::Done, "{} can be sent again", create.target);
                (create.told, create.code) = (told, code);
                self.asked_again += 1;
            }
        }
        let of_round = self.all.of(&prefix);
        let state = system.state(&format!("round-{round}"), &of_round).await;
        let found = contradictions(&of_round, &state);
        assert!(found.is_empty(), "round {round}: {found:#?}");
    }
}

impl History {
    fn absorb(&mut self, more: Self) {
        self.creates.extend(more.creates);
        self.clicks.extend(more.clicks);
        self.limits.extend(more.limits);
    }

    /// The part about targets that start with `prefix`.
    fn of(&self, prefix: &str) -> Self {
        let creates: Vec<_> = self
            .creates
            .iter()
            .filter(|c| c.target.starts_with(prefix))
            .cloned()
            .collect();
        let known = |code: &String| creates.iter().any(|c| c.code.as_ref() == Some(code));
        let clicks: BTreeMap<String, Clicks> = self
            .clicks
            .iter()
            .filter(|(c, _)| known(c))
            .map(|(c, n)| (c.clone(), *n))
            .collect();
        let limits = self
            .limits
            .iter()
            .filter(|(c, _)| known(c))
            .map(|(c, n)| (c.clone(), *n))
            .collect();
        Self {
            creates,
            clicks,
            limits,
        }
    }
}

/// The program under test.
struct System {
    program: Program,
    client: Client,
}

impl System {
    async fn start(data: &Path, args: &[String]) -> Self {
        let program = Program::up(data, args, &[]);
        let client = Client::new(program.url("gateway"));
        let system = Self { program, client };
        system.count_durably(data).await;
        system
    }

    /// A click is committed before it is answered, so that every redirect told must be counted.
    async fn count_durably(&self, data: &Path) {
        let secret = std::fs::read_to_string(data.join("cluster.secret")).expect("the secret");
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

    /// Kills every process at once.
    async fn crash(mut self) {
        self.program.kill_all();
    }

    /// What is there of one round.
    async fn state(&self, tag: &str, history: &History) -> State {
        let mut state = State::default();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/links?limit=200&tag={tag}{cursor}");
            let page = self.client.get(&path).await.expect("answers");
            assert_eq!(page.status, 200, "{}", page.text());
            let page = page.json();
            for link in page["items"].as_array().expect("a page has items") {
                let text = |name: &str| link[name].as_str().expect("text").to_owned();
                state.links.push((text("code"), text("url")));
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        for code in history.clicks.keys() {
            let stats = self
                .client
                .get(&format!("/api/links/{code}/stats"))
                .await
                .expect("answers");
            let counted = stats.json()["total_clicks"].as_u64().expect("a number");
            state.clicks.insert(code.clone(), counted);
        }
        state
    }
}
