//! The use cases of links: what happens in which order, and what is told to whom afterwards.

pub(crate) mod call;
pub(crate) mod change;
pub(crate) mod compiled;
pub(crate) mod contract;
pub(crate) mod create;
pub(crate) mod folder;
pub(crate) mod hosts;
pub(crate) mod hot;
pub(crate) mod make;
pub(crate) mod meters;
pub(crate) mod passes;
pub(crate) mod read;
pub(crate) mod recorder;
pub(crate) mod routes;
pub(crate) mod stats;
pub(crate) mod throttle;
pub(crate) mod transfer;

use std::sync::Arc;

use cache::Loading;
use contracts::links::LinksError;
use kernel::{Choice, ChoiceKnob, Ctx};
use serde::Serialize;
use serde::de::DeserializeOwned;
use storage::{Commits, Db, Once, Tx};
use telemetry::Metrics;

use self::call::{Call, Done};
use self::hosts::Hosts;
use self::meters::Meters;
use self::passes::Passes;
use self::recorder::Recorder;
use self::routes::{Routes, Touched};
use self::throttle::Throttle;
use crate::Config;
use crate::store::Fail;

/// How redirects are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CachePolicy {
    /// Kept when first asked for, forgotten when changed.
    Aside,
    /// Every redirect reads the store.
    None,
    /// Kept when made or changed.
    WriteThrough,
}

impl Choice for CachePolicy {
    const ALL: &'static [(&'static str, Self)] = &[
        ("aside", Self::Aside),
        ("none", Self::None),
        ("write_through", Self::WriteThrough),
    ];
}

/// How codes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdScheme {
    /// From the CSPRNG.
    Random,
    /// One after the other.
    Counter,
    /// From the target.
    Hash,
}

impl Choice for IdScheme {
    const ALL: &'static [(&'static str, Self)] = &[
        ("random", Self::Random),
        ("counter", Self::Counter),
        ("hash", Self::Hash),
    ];
}

/// How clicks are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClickPolicy {
    /// In groups every few milliseconds, after the answer.
    Grouped,
    /// Before the answer.
    Durable,
    /// Once a second, and not at all when there are too many.
    Lossy,
}

impl Choice for ClickPolicy {
    const ALL: &'static [(&'static str, Self)] = &[
        ("grouped", Self::Grouped),
        ("durable", Self::Durable),
        ("lossy", Self::Lossy),
    ];
}

/// The design choices of links, as handles.
#[derive(Clone)]
pub(crate) struct Choices {
    /// How redirects are looked up.
    pub(crate) cache: ChoiceKnob<CachePolicy>,
    /// Whether redirects that miss the same link wait for one load of it.
    pub(crate) loading: ChoiceKnob<Loading>,
    /// How codes are made.
    pub(crate) ids: ChoiceKnob<IdScheme>,
    /// How clicks are recorded.
    pub(crate) clicks: ChoiceKnob<ClickPolicy>,
    /// Who shares a commit; the database reads it.
    pub(crate) commits: ChoiceKnob<Commits>,
}

/// Everything that the use cases share.
pub(crate) struct Service {
    pub(crate) config: Config,
    pub(crate) ctx: Ctx,
    pub(crate) db: Db,
    pub(crate) choices: Choices,
    pub(crate) hosts: Hosts,
    pub(crate) routes: Routes,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) passes: Passes,
    pub(crate) throttle: Throttle,
    pub(crate) meters: Meters,
    pub(crate) metrics: Metrics,
}

impl Service {
    /// Does `work` in one transaction, once for each idempotency key; then tells the caches.
    pub(crate) async fn mutate<R, F>(&self, call: &Call, work: F) -> Result<Done<R>, LinksError>
    where
        R: Serialize + DeserializeOwned + Send + 'static,
        F: AsyncFn(&mut Tx<'_>, &mut Vec<Touched>) -> Result<R, Fail> + Send + 'static,
    {
        let key = call.key.clone();
        let (scope, trace) = (format!("links:{}", call.by), call.trace);
        let write = async move |tx: &mut Tx<'_>| {
            tx.caused_by(trace);
            let mut touched = Vec::new();
            let once = match &key {
                None => Once {
                    value: work(tx, &mut touched).await?,
                    replayed: false,
                },
                Some(key) => {
                    let work = async |tx: &mut Tx<'_>| work(tx, &mut touched).await;
                    tx.once::<R, Fail, _>(&scope, &key.key, &key.fingerprint, work)
                        .await?
                }
            };
            Ok::<_, Fail>((once, touched))
        };
        let (once, touched) = self.db.write(write).await?;
        self.routes.touched(&touched, self.choices.cache.get());
        Ok(Done {
            value: once.value,
            replayed: once.replayed,
        })
    }
}
