//! What a long-running command needs of its process: threads, signals, logs, safety.

use anyhow::{Result, anyhow};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::BadInput;
use crate::settings::config::Config;
use crate::settings::data::DataDir;
use crate::settings::keys::KeyFile;
use crate::settings::safety;

/// Blocking work is rare here (password hashes, files): few threads do.
const BLOCKING_THREADS_MAX: usize = 16;

/// The runtime that requests run on.
pub(super) fn runtime(config: &Config) -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.worker_threads())
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_name("tradewind")
        .enable_all()
        .build()?)
}

/// Sends log lines to standard error as the configuration says.
pub(super) fn log(config: &Config) -> Result<()> {
    telemetry::log::init(&config.log.to_telemetry())
        .map_err(|error| anyhow!(BadInput(format!("log.level: {error}"))))
}

/// Refuses to listen to strangers without keys.
pub(super) fn safe(config: &Config, data: &DataDir) -> Result<()> {
    let has_keys = KeyFile::at(data.keys_file())
        .list()?
        .is_some_and(|keys| !keys.is_empty());
    safety::check(config, &config.data, has_keys)
        .map_err(|error| anyhow!(BadInput(error.to_string())))
}

/// SIGTERM and SIGINT, one after the other.
pub(super) struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one. Cancellation-safe.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}
