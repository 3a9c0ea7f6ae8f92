//! The ready file: one JSON object that says where a running system is.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::settings::config::Topology;
use crate::settings::data::write_private;

/// Where a running system is. Its JSON is flat: every URL is a field.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ready {
    /// The process to signal.
    pub pid: u32,
    /// The version of the program.
    pub version: String,
    /// One process, or one per service.
    pub topology: Topology,
    /// Every URL by name: `gateway`, `console`, `links`, `api`, `openapi`, `metrics`, `admin`.
    #[serde(flatten)]
    pub urls: BTreeMap<String, String>,
}

impl Ready {
    /// The URL called `name`.
    #[must_use]
    pub fn url(&self, name: &str) -> Option<&str> {
        self.urls.get(name).map(String::as_str)
    }

    /// Writes the file at once.
    pub fn write(&self, path: &Path) -> Result<()> {
        let path = std::path::absolute(path)?;
        write_private(&path, &serde_json::to_vec(self)?)
    }

    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
    }
}
