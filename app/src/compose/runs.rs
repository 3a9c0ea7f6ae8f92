//! Runs of experiments as they are kept: `lab/<run>/run.json` and `report.html` in the data directory.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use console::{RunLine, Runs, RunsError, is_name};
use reports::Run;

/// A larger file is not read.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Runs that are looked at, at most; the newest ones.
const RUNS_MAX: usize = 10_000;

/// The runs in one folder. It need not be there.
#[derive(Debug, Clone)]
pub(crate) struct KeptRuns {
    folder: PathBuf,
}

impl KeptRuns {
    /// The runs in `folder`.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn read_list(&self, after: Option<&str>, limit: usize) -> Vec<RunLine> {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| is_name(name) && self.folder.join(name).join("run.json").exists())
            .take(RUNS_MAX)
            .collect();
        names.sort_unstable_by(|a, b| b.cmp(a));
        names
            .into_iter()
            .filter(|name| after.is_none_or(|after| name.as_str() < after))
            .take(limit)
            .map(|name| self.line(name))
            .collect()
    }

    fn line(&self, id: String) -> RunLine {
        match self.run(&id) {
            Ok(run) => {
                let summary = reports::summary(&run);
                RunLine {
                    id,
                    experiment: run.experiment.id,
                    title: run.experiment.title,
                    started_at: run.started_at,
                    elapsed_s: run.elapsed_s,
                    quick: run.quick,
                    passed: Some(summary.passed),
                    outcome: summary.outcome(),
                }
            }
            Err(why) => RunLine {
                experiment: String::new(),
                title: id.clone(),
                id,
                started_at: 0,
                elapsed_s: 0.0,
                quick: false,
                passed: None,
                outcome: why.to_string(),
            },
        }
    }

    fn run(&self, id: &str) -> Result<Run, RunsError> {
        let bytes = self.file(id, "run.json")?;
        let run: Run = serde_json::from_slice(&bytes)
            .map_err(|e| RunsError::Unreadable(format!("the record of '{id}' is damaged: {e}")))?;
        if run.format != 1 {
            return Err(RunsError::Unreadable(format!(
                "the record of '{id}' has format {}, and this program reads 1; use the program that made it",
                run.format
            )));
        }
        Ok(run)
    }

    /// A file of a run; links to elsewhere are not followed.
    fn file(&self, id: &str, name: &str) -> Result<Vec<u8>, RunsError> {
        let folder = self.folder.join(id);
        let path = folder.join(name);
        if !is_name(id)
            || !is_own(&folder, fs::FileType::is_dir)
            || !is_own(&path, fs::FileType::is_file)
        {
            return Err(RunsError::NotFound(id.to_owned()));
        }
        let unreadable = |e: std::io::Error| {
            RunsError::Unreadable(format!("{name} of '{id}' cannot be read: {e}"))
        };
        let file = File::open(&path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            let mib = FILE_BYTES_MAX / 1024 / 1024;
            return Err(RunsError::Unreadable(format!(
                "{name} of '{id}' has more than {mib} MiB, so it is not read"
            )));
        }
        Ok(bytes)
    }

    fn page(&self, id: &str) -> Result<Bytes, RunsError> {
        match self.file(id, "report.html") {
            Ok(page) => Ok(page.into()),
            // Made anew where it is not kept.
            Err(RunsError::NotFound(_)) => Ok(reports::to_html(&self.run(id)?).into()),
            Err(other) => Err(other),
        }
    }

    /// Files are read where that may take its time.
    async fn aside<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, RunsError> + Send + 'static,
    ) -> Result<T, RunsError> {
        let own = self.clone();
        let done = tokio::task::spawn_blocking(move || read(&own)).await;
        done.unwrap_or_else(|_| {
            let why = "reading was cut short, because the system ends";
            Err(RunsError::Unreadable(why.to_owned()))
        })
    }
}

fn is_own(path: &Path, kind: fn(&fs::FileType) -> bool) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| kind(&found.file_type()))
}

#[async_trait]
impl Runs for KeptRuns {
    async fn list(&self, after: Option<String>, limit: usize) -> Result<Vec<RunLine>, RunsError> {
        self.aside(move |own| Ok(own.read_list(after.as_deref(), limit)))
            .await
    }

    async fn summary(&self, id: &str) -> Result<Bytes, RunsError> {
        let id = id.to_owned();
        self.aside(move |own| json(&reports::summary(&own.run(&id)?)))
            .await
    }

    async fn report(&self, id: &str) -> Result<Bytes, RunsError> {
        let id = id.to_owned();
        self.aside(move |own| own.page(&id)).await
    }

    async fn compare(&self, before: &str, after: &str) -> Result<Bytes, RunsError> {
        let (before, after) = (before.to_owned(), after.to_owned());
        self.aside(move |own| json(&reports::compare(&own.run(&before)?, &own.run(&after)?)))
            .await
    }
}

fn json(value: &impl serde::Serialize) -> Result<Bytes, RunsError> {
    let bytes = serde_json::to_vec(value);
    bytes
        .map(Bytes::from)
        .map_err(|e| RunsError::Unreadable(e.to_string()))
}

#[cfg(test)]
mod tests {
    use console::{Runs as _, RunsError};

    use super::{FILE_BYTES_MAX, KeptRuns};

    const RUN: &str = r#"{"format":1,"id":"x","experiment":{"id":"e","title":"An experiment","question":"?","phase":1,
        "why":"","lesson":"","look":[],"prediction":null,"text":""},"started_at":5,"elapsed_s":1.5,"quick":true,"seed":1,
        "version":"0.1.0","ended_early":false,"machine":{"cores":2,"cpu":"c","os":"o","memory_mib":1},"systems":[],
        "metrics":[],"variants":[],"trials":[],"checks":[],"guess":null,"notes":[]}"#;

    fn kept(runs: &[(&str, &str)]) -> (testkit::TempDir, KeptRuns) {
        let folder = testkit::TempDir::new().unwrap();
        for (name, text) in runs {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("run.json"), text).unwrap();
        }
        let runs = KeptRuns::new(folder.path().to_owned());
        (folder, runs)
    }

    #[tokio::test]
    async fn runs_are_listed_newest_first_and_page_by_page() {
        let (_folder, runs) = kept(&[("1-a", RUN), ("3-c", RUN), ("2-b", "{"), ("bad.name", RUN)]);
        let names = |lines: Vec<console::RunLine>| -> Vec<(String, Option<bool>)> {
            lines
                .into_iter()
                .map(|line| (line.id, line.passed))
                .collect()
        };
        let first = names(runs.list(None, 2).await.unwrap());
        assert_eq!(
            first,
            [("3-c".to_owned(), Some(true)), ("2-b".to_owned(), None)]
        );
        let rest = names(runs.list(Some("2-b".to_owned()), 2).await.unwrap());
        assert_eq!(rest, [("1-a".to_owned(), Some(true))]);
        let nowhere = KeptRuns::new("does/not/exist".into());
        assert!(nowhere.list(None, 9).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_report_that_is_not_kept_is_made() {
        let (folder, runs) = kept(&[("1-a", RUN)]);
        let made = runs.report("1-a").await.unwrap();
        assert!(made.starts_with(b"<!doctype html>"));
        std::fs::write(folder.path().join("1-a/report.html"), "kept").unwrap();
        assert_eq!(runs.report("1-a").await.unwrap(), "kept");
        assert!(runs.summary("1-a").await.unwrap().starts_with(b"{"));
        assert!(runs.compare("1-a", "1-a").await.is_ok());
    }

    #[tokio::test]
    async fn nothing_outside_and_nothing_huge_is_read() {
        let (folder, runs) = kept(&[("1-a", RUN), ("2-b", RUN)]);
        for wrong in ["..", "../x", "1-a/../2-b", "", "nobody"] {
            assert_eq!(
                runs.summary(wrong).await,
                Err(RunsError::NotFound(wrong.to_owned())),
                "{wrong}"
            );
        }
        std::fs::remove_file(folder.path().join("2-b/run.json")).unwrap();
        std::os::unix::fs::symlink(
            folder.path().join("1-a/run.json"),
            folder.path().join("2-b/run.json"),
        )
        .unwrap();
        assert!(runs.summary("2-b").await.is_err(), "a link to elsewhere");
        let large = std::fs::File::create(folder.path().join("1-a/run.json")).unwrap();
        large.set_len(FILE_BYTES_MAX + 1).unwrap();
        let said = runs.summary("1-a").await.unwrap_err().to_string();
        assert!(said.contains("more than 16 MiB"), "{said}");
    }
}
