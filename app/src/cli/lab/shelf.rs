//! Where runs are kept: `DIR/lab/NAME/run.json`, and the report beside it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use reports::Run;

use super::args::Place;
use super::bad;

/// The largest run that is read.
const RUN_BYTES_MAX: u64 = 64 << 20;
/// How many runs may begin in the same second.
const SAME_MAX: u32 = 100;

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

    /// Keeps `run` and its report, and answers the report's file. A run of which another one has
    /// the name gets a name of its own.
    pub(super) fn keep(&self, run: &mut Run) -> Result<PathBuf> {
        let folder = self.own_folder(run)?;
        let text = serde_json::to_vec(run)?;
        write(&folder.join("run.json"), &text)?;
        let html = folder.join("report.html");
        write(&html, reports::to_html(run).as_bytes())?;
        Ok(html)
    }

    fn own_folder(&self, run: &mut Run) -> Result<PathBuf> {
        let name = run.id.clone();
        std::fs::create_dir_all(&self.0)
            .with_context(|| format!("cannot make {}", self.0.display()))?;
        let mut number = 1;
        loop {
            let folder = self.folder(&run.id);
            match std::fs::create_dir(&folder) {
                Ok(()) => return Ok(folder),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < SAME_MAX => {
                    number += 1;
                    run.id = format!("{name}-{number}");
                }
                Err(error) => {
                    let place = folder.display();
                    return Err(error).with_context(|| format!("cannot make {place}"));
                }
            }
        }
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
            // Those of runs that have not ended begin with a dot.
            .filter(|name| !name.starts_with('.'))
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
