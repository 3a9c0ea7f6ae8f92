//! Log lines on stderr, as text for people or JSON for machines.

use std::io::{IsTerminal as _, stderr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{fmt, registry};

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One line of text.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

impl FromStr for LogFormat {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(LogError::Format(other.to_owned())),
        }
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Text or JSON.
    pub format: LogFormat,
    /// `info`, or directives such as `info,mesh=debug`.
    pub level: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".to_owned(),
        }
    }
}

/// Logging could not be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The level cannot be read.
    #[error(
        "log level '{0}' cannot be read; write error, warn, info, debug or trace, or directives such as info,mesh=debug"
    )]
    Level(String),
    /// There is no such format.
    #[error("log format '{0}' is not known; write text or json")]
    Format(String),
    /// A subscriber is there already.
    #[error("logging is set up already; call init once, in main")]
    Twice,
}

/// Checks the level without setting anything up.
pub fn check(config: &LogConfig) -> Result<(), LogError> {
    filter(&config.level).map(drop)
}

/// Sends log lines to stderr from now on. Call it once, in `main`.
pub fn init(config: &LogConfig) -> Result<(), LogError> {
    let filtered = registry().with(filter(&config.level)?);
    let lines = fmt::layer()
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal());
    let done = match config.format {
        LogFormat::Text => filtered.with(lines.compact()).try_init(),
        LogFormat::Json => filtered.with(lines.json().flatten_event(true)).try_init(),
    };
    done.map_err(|_| LogError::Twice)
}

/// A bare word must be a level: `Targets` would take `inof` for the name of a module.
fn filter(level: &str) -> Result<Targets, LogError> {
    let wrong = || LogError::Level(level.to_owned());
    let known = |l: &str| {
        let l = l.trim().to_ascii_lowercase();
        matches!(&*l, "off" | "error" | "warn" | "info" | "debug" | "trace")
    };
    if level
        .split(',')
        .any(|part| !part.contains('=') && !known(part))
    {
        return Err(wrong());
    }
    level.parse().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_refused_with_what_to_write() {
        let config = |level: &str| LogConfig {
            level: level.to_owned(),
            ..LogConfig::default()
        };
        assert_eq!(check(&config("info,mesh=debug")), Ok(()));
        for bad in ["inof", "info,mesh=loud", ""] {
            let error = check(&config(bad)).expect_err("no such level");
            assert!(
                error.to_string().contains("write error, warn, info"),
                "{bad}: {error}"
            );
        }
        assert_eq!(
            "yaml".parse::<LogFormat>(),
            Err(LogError::Format("yaml".to_owned()))
        );
    }
}
