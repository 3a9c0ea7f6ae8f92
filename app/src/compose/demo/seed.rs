//! Example links. Each has its code and its idempotency key, so seeding twice makes none twice.

use std::time::Duration;

use contracts::links::{CreateLink, Device, Links, LinksClient, LinksError, Moment, Rule};
use kernel::{Ctx, Principal};
use mesh::CallCx;

use super::NAME;
use crate::shell::host::Host;

const SEED_WITHIN: Duration = Duration::from_secs(5);
const DAY: Duration = Duration::from_secs(86_400);

/// Code, target, title, tag, and how often it is visited beside the others.
const PLAIN: &[(&str, &str, &str, &str, u32)] = &[
    (
        "rust",
        "https://www.rust-lang.org/",
        "The Rust language",
        "languages",
        30,
    ),
    (
        "book",
        "https://doc.rust-lang.org/book/",
        "The Rust book",
        "languages",
        12,
    ),
    (
        "tokio",
        "https://tokio.rs/tokio/tutorial",
        "Tokio, a tutorial",
        "languages",
        8,
    ),
    (
        "sqlite",
        "https://www.sqlite.org/whentouse.html",
        "When to use SQLite",
        "storage",
        18,
    ),
    (
        "pg",
        "https://www.postgresql.org/docs/current/",
        "The manual of PostgreSQL",
        "storage",
        9,
    ),
    (
        "raft",
        "https://raft.github.io/",
        "Raft, visibly",
        "papers",
        7,
    ),
    (
        "dynamo",
        "https://www.allthingsdistributed.com/files/amazon-dynamo-sosp2007.pdf",
        "Dynamo, the paper",
        "papers",
        5,
    ),
    (
        "tail",
        "https://research.google/pubs/the-tail-at-scale/",
        "The tail at scale",
        "papers",
        6,
    ),
    (
        "rfc9457",
        "https://www.rfc-editor.org/rfc/rfc9457",
        "Problem details",
        "standards",
        3,
    ),
    (
        "maps",
        "https://www.openstreetmap.org/#map=13/53.5503/10.0007",
        "Hamburg",
        "fun",
        4,
    ),
];

/// Makes the example links; answers the codes to visit, each as often as its share.
pub(super) async fn links(host: &Host, links: &LinksClient) -> Vec<(String, u32)> {
    let mut codes = Vec::new();
    for (link, share) in all(&host.ctx) {
        let code = link.code.clone().unwrap_or_default();
        let cx = CallCx::new(&*host.ctx.clock, SEED_WITHIN)
            .with_caller(Principal::service(NAME))
            .with_idempotency_key(format!("demo-{code}"));
        match links.create(&cx, link).await {
            // A key is forgotten after a day; the code is still taken then, by us.
            Ok(_) | Err(LinksError::CodeTaken { .. } | LinksError::IdempotencyMismatch) => {
                codes.push((code, share));
            }
            Err(error) => tracing::warn!(code, %error, "an example link could not be made"),
        }
    }
    codes
}

fn all(ctx: &Ctx) -> Vec<(CreateLink, u32)> {
    let mut all: Vec<(CreateLink, u32)> = PLAIN
        .iter()
        .map(|&(code, url, title, tag, share)| (link(code, url, title, tag), share))
        .collect();
    let app = |name: &str, device: Device, url: &str| Rule {
        name: Some(name.to_owned()),
        devices: vec![device],
        url: url.to_owned(),
        ..Rule::default()
    };
    let mut get = link(
        "get",
        "https://f-droid.org/",
        "The app for every device",
        "campaign",
    );
    get.rules = vec![
        app(
            "iPhone and iPad",
            Device::Ios,
            "https://apps.apple.com/app/id284882215",
        ),
        app(
            "Android",
            Device::Android,
            "https://play.google.com/store/apps/details?id=org.mozilla.firefox",
        ),
    ];
    all.push((get, 14));
    let mut talk = link(
        "talk",
        "https://fosdem.org/schedule/",
        "The talk next week",
        "events",
    );
    talk.expires_at = Some(Moment(ctx.now().plus(DAY * 7)));
    all.push((talk, 5));
    let mut invite = link(
        "invite",
        "https://example.com/join",
        "Fifty seats",
        "events",
    );
    invite.max_clicks = Some(50);
    all.push((invite, 1));
    all
}

fn link(code: &str, url: &str, title: &str, tag: &str) -> CreateLink {
    CreateLink {
        code: Some(code.to_owned()),
        title: Some(title.to_owned()),
        tags: vec!["demo".to_owned(), tag.to_owned()],
        ..CreateLink::to(url)
    }
}
