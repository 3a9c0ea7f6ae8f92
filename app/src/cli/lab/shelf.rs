//! Where runs are kept: `DIR/lab/NAME/run.json`, and the report beside it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use reports::Run;

use super::args::Place;
use super::bad;

/// The largest run that is read.
const RUN_BYTES_MAX: u64 = 64 << 20;

/// The folder of runs.
pub(super) struct Shelf(PathBuf);

impl Shelf {
    pub(super) fn of(place: &Place) -> Self {
        let data = place.data.as_deref().unwrap_or(Path::new("./.tradewind"));
        Self(data.join("lab"))
    }

    /// The folder of the run `id`.
    pub(super) fn folder(&self, id: &str) -> PathBuf {
        self.0.join(id)
    }

    /// Keeps `run` and its report, and answers the report's file.
    pub(super) fn keep(&self, run: &Run) -> Result<PathBuf> {
        let folder = self.folder(&run.id);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let text = serde_json::to_vec(run)?;
        write(&folder.join("run.json"), &text)?;
        let html = folder.join("report.html");
        write(&html, reports::to_html(run).as_bytes())?;
        Ok(html)
    }

    /// The run that is called `name`, or that stands in the file `name`.
    pub(super) fn read(&self, name: &str) -> Result<Run> {
        let file = match Path::new(name).is_file() {
            true => PathBuf::from(name),
            false => self.folder(name).join("run.json"),
        };
        let size = file.metadata().map_err(|_| bad(self.unknown(name)))?.len();
        if size > RUN_BYTES_MAX {
            let most = RUN_BYTES_MAX >> 20;
            return Err(bad(format!("{} is larger than {most} MiB", file.display())));
        }
        let text =
            std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_slice(&text).map_err(|error| bad(format!("{}: {error}", file.display())))
    }

    fn unknown(&self, name: &str) -> String {
        let entries = std::fs::read_dir(&self.0).into_iter().flatten().flatten();
        let names: Vec<String> = entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        let near = kernel::nearest(name, names.iter().map(String::as_str));
        let place = self.0.display();
        match near.first() {
            Some(near) => format!("no run in {place} is called '{name}'; did you mean {near}?"),
            None => format!(
                "no run in {place} is called '{name}'; it holds {}",
                names.len()
            ),
        }
    }
}

pub(super) fn write(path: &Path, content: &[u8]) -> Result<()> {
    std::fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}
