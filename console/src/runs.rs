//! What the console needs to know of the lab: runs that were kept. The composition root implements it.

use async_trait::async_trait;
use bytes::Bytes;
use kernel::{Code, Coded};
use serde::{Deserialize, Serialize};

/// A line of the list of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunLine {
    /// Its name, which begins with when it began: names in order are runs in order.
    pub id: String,
    /// The experiment's name.
    pub experiment: String,
    /// Its name for people.
    pub title: String,
    /// When it began: microseconds since the Unix epoch.
    pub started_at: i64,
    /// How long it took, in seconds.
    pub elapsed_s: f64,
    /// Whether it was the short form.
    pub quick: bool,
    /// Whether it came out as expected; nothing when it cannot be read.
    pub passed: Option<bool>,
    /// How it came out, in a few words, or why it cannot be read.
    pub outcome: String,
}

/// A run cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunsError {
    /// There is none of that name.
    #[error("there is no run called '{0}'; see the list of runs for what is kept")]
    NotFound(String),
    /// It is there, and cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

impl Coded for RunsError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::NotFound,
            Self::Unreadable(_) => Code::Internal,
        }
    }
}

/// Runs of experiments that were kept. A name reaches it only when [`is_name`] holds.
#[async_trait]
pub trait Runs: Send + Sync + 'static {
    /// At most `limit` runs, newest first, from the one after `after` on.
    async fn list(&self, after: Option<String>, limit: usize) -> Result<Vec<RunLine>, RunsError>;

    /// What follows from a run, as JSON.
    async fn summary(&self, id: &str) -> Result<Bytes, RunsError>;

    /// Its report, as one HTML page.
    async fn report(&self, id: &str) -> Result<Bytes, RunsError>;

    /// How a run differs from one before, as JSON.
    async fn compare(&self, before: &str, after: &str) -> Result<Bytes, RunsError>;
}

/// No runs at all, where there is no lab.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRuns;

#[async_trait]
impl Runs for NoRuns {
    async fn list(&self, _: Option<String>, _: usize) -> Result<Vec<RunLine>, RunsError> {
        Ok(Vec::new())
    }

    async fn summary(&self, id: &str) -> Result<Bytes, RunsError> {
        Err(RunsError::NotFound(id.to_owned()))
    }

    async fn report(&self, id: &str) -> Result<Bytes, RunsError> {
        Err(RunsError::NotFound(id.to_owned()))
    }

    async fn compare(&self, before: &str, _: &str) -> Result<Bytes, RunsError> {
        Err(RunsError::NotFound(before.to_owned()))
    }
}

/// Characters of a run's name, at most.
const NAME_MAX: usize = 120;

/// Whether this may be the name of a run: letters, digits, dashes and underscores. So it names one
/// folder and leads to no other.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn a_name_leads_nowhere_else() {
        assert!(is_name("20261127-071500-cache_policies"));
        let long = "a".repeat(121);
        for wrong in [
            "", ".", "..", "../x", "a/b", "a\\b", "a.json", "a\0", "ä", " ", &long,
        ] {
            assert!(!is_name(wrong), "{wrong:?}");
        }
    }
}
