//! Gentle traffic over a real socket: visitors with various agents, languages and ways here, and now
//! and then somebody who looks at a preview, mistypes a code, or reads statistics.

use std::net::SocketAddr;
use std::time::Duration;

use contracts::links::{GetStats, Links, LinksClient};
use http::Method;
use kernel::{Ctx, Principal, Tasks};
use mesh::CallCx;

use super::NAME;
use crate::operate::client::Client;

const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The pause between two visits lies between these: about eight visits a second.
const PAUSE_MS: (u64, u64) = (20, 230);
/// Every so many visits somebody reads statistics instead. It is counted, not drawn: chance would
/// leave the edge from the demo to links without a call for half a minute now and then. The first visit is
/// one, so that the map shows the edge at once.
const STATS_EVERY: u64 = 16;

const AGENTS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
];
const LANGUAGES: &[&str] = &[
    "en-US,en;q=0.9",
    "de-DE,de;q=0.9,en;q=0.6",
    "fr-FR,fr;q=0.9",
    "ja,en;q=0.5",
    "pt-BR,pt;q=0.8",
];
const REFERRERS: &[&str] = &[
    "",
    "",
    "https://news.ycombinator.com/",
    "https://www.google.com/",
    "https://github.com/",
    "https://lobste.rs/",
];

/// Visits until `tasks` are asked to end.
pub(super) async fn run(
    gateway: SocketAddr,
    codes: Vec<(String, u32)>,
    links: LinksClient,
    ctx: Ctx,
    tasks: Tasks,
) {
    let visitor = Visitor {
        client: Client::new(ANSWER_WITHIN),
        gateway,
        codes,
        links,
        ctx,
    };
    for number in 1.. {
        let pause = PAUSE_MS.0 + visitor.ctx.random.below(PAUSE_MS.1 - PAUSE_MS.0);
        tokio::select! {
            () = tasks.stopping() => return,
            () = tokio::time::sleep(Duration::from_millis(pause)) => {}
        }
        tokio::select! {
            () = tasks.stopping() => return,
            () = visitor.visit(number) => {}
        }
    }
}

struct Visitor {
    client: Client,
    gateway: SocketAddr,
    codes: Vec<(String, u32)>,
    links: LinksClient,
    ctx: Ctx,
}

impl Visitor {
    async fn visit(&self, number: u64) {
        let Some(code) = self.code() else { return };
        if number % STATS_EVERY == 1 {
            return self.read_stats(code).await;
        }
        match self.ctx.random.below(100) {
            0 => self.open(Method::GET, "not-a-code").await,
            1..4 => self.open(Method::GET, &format!("{code}+")).await,
            4 => self.open(Method::HEAD, code).await,
            _ => self.open(Method::GET, code).await,
        }
    }

    async fn open(&self, method: Method, path: &str) {
        let url = format!("http://{}/{path}", self.gateway);
        let mut headers = vec![
            ("user-agent", self.one_of(AGENTS)),
            ("accept-language", self.one_of(LANGUAGES)),
        ];
        let referrer = self.one_of(REFERRERS);
        if !referrer.is_empty() {
            headers.push(("referer", referrer));
        }
        if let Err(error) = self.client.send(method, &url, &headers, Vec::new()).await {
            tracing::debug!(%error, "a visit of the demo failed");
        }
    }

    /// A colleague who looks at the figures, by the contract.
    async fn read_stats(&self, code: &str) {
        let cx = CallCx::new(&*self.ctx.clock, ANSWER_WITHIN).with_caller(Principal::service(NAME));
        let ask = GetStats {
            link: code.to_owned(),
            ..GetStats::default()
        };
        if let Err(error) = self.links.stats(&cx, ask).await {
            tracing::debug!(%error, "the demo could not read statistics");
        }
    }

    /// One of the codes, each as often as its share.
    fn code(&self) -> Option<&str> {
        let total: u32 = self.codes.iter().map(|(_, share)| share).sum();
        let mut at = u32::try_from(self.ctx.random.below(u64::from(total))).ok()?;
        for (code, share) in &self.codes {
            if at < *share {
                return Some(code);
            }
            at -= share;
        }
        None
    }

    fn one_of<'a>(&self, list: &[&'a str]) -> &'a str {
        let at = self.ctx.random.below(list.len() as u64);
        usize::try_from(at)
            .ok()
            .and_then(|at| list.get(at))
            .copied()
            .unwrap_or_default()
    }
}
