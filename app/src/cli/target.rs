//! The flags that say which running system a command means.

use std::path::{Path, PathBuf};

use clap::Args;

/// Which running system is meant.
#[derive(Debug, Clone, Args)]
pub(super) struct Target {
    /// Where it lives [default: ./.tradewind]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Its internal address, instead of what its data directory says
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// The API key to show
    #[arg(
        long,
        env = "TRADEWIND_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub(super) key: Option<String>,
}

impl Target {
    pub(super) fn data(&self) -> &Path {
        self.data.as_deref().unwrap_or(Path::new("./.tradewind"))
    }
}
