//! Talks to a running system: found by its data directory, or by the URL given.

use std::future::Future;
use std::time::Duration;

use anyhow::{Result, anyhow};
use web::ClusterSecret;

use super::BadInput;
use super::target::Target;
use crate::operate::client::Client;
use crate::settings::data::DataDir;
use crate::settings::ready::Ready;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The administration of a running system.
pub(super) struct Admin {
    pub(super) url: String,
    pub(super) client: Client,
}

impl Admin {
    /// The system that `target` names.
    pub(super) fn of(target: &Target) -> Result<Self> {
        let client = Client::new(ANSWER_WITHIN).with_key(target.key.clone());
        if let Some(url) = &target.url {
            let url = url.trim_end_matches('/').to_owned();
            return Ok(Self { url, client });
        }
        let nothing = || {
            let data = target.data().display();
            anyhow!(BadInput(format!(
                "nothing runs on {data}; start it with 'tradewind up', or name it with --data or --url"
            )))
        };
        let data = target.data();
        if !data.is_dir() {
            return Err(nothing());
        }
        let data = DataDir::open(data)?;
        if !data.ready_file().is_file() || data.hold().is_ok() {
            return Err(nothing());
        }
        let ready = Ready::read(&data.ready_file())?;
        let url = ready.url("admin").ok_or_else(nothing)?.to_owned();
        let secret = std::fs::read_to_string(data.join("cluster.secret")).ok();
        let client = match secret {
            Some(secret) => client.with_cluster(ClusterSecret::new(secret.trim())),
            None => client,
        };
        Ok(Self { url, client })
    }

    /// The URL of `path` below the administration.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

/// Waits for `work` on a small runtime.
pub(super) fn wait<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
