//! One job of a section: what it runs, where its output goes, and how it ended.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::arguments::Arguments;
use crate::suite::binary::{self, Binary};

/// A command that takes longer hangs; twice as long as any may take on a slow machine.
const TIME_MAX: Duration = Duration::from_secs(1_500);
/// The same in the long form.
const TIME_LONG: Duration = Duration::from_secs(6 * 3_600);
/// So long a command may take to end once it is asked to.
const GRACE: Duration = Duration::from_secs(30);
/// How often it is looked whether a command has ended.
const LOOK: Duration = Duration::from_millis(50);

/// What a job does: it writes to its log and fails with a reason.
pub type Work = Box<dyn FnOnce(&Shop, &Log) -> Result<()> + Send>;

/// A piece of a section that can be run, and repeated, by itself.
pub struct Job {
    /// The section that it belongs to.
    pub section: &'static str,
    /// Its name in the section; `--only` finds it.
    pub name: String,
    /// About how many seconds it takes: what takes longest begins first.
    pub about_s: f64,
    /// What it does.
    pub work: Work,
}

impl Job {
    /// A job of `section`.
    pub fn new(
        section: &'static str,
        (name, about_s): (&str, f64),
        work: impl FnOnce(&Shop, &Log) -> Result<()> + Send + 'static,
    ) -> Self {
        let (name, work) = (name.to_owned(), Box::new(work) as Work);
        Self {
            section,
            name,
            about_s,
            work,
        }
    }
}

/// How a job ended.
#[derive(Debug)]
pub struct Ended {
    /// The section.
    pub section: &'static str,
    /// The name in the section.
    pub name: String,
    /// When it began and ended.
    pub span: (Instant, Instant),
    /// Why it failed, if it did.
    pub failure: Option<String>,
    /// Where its output is.
    pub log: PathBuf,
    /// What the summary has to say again.
    pub notes: Vec<String>,
}

impl Ended {
    /// How long it took.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.span.1.duration_since(self.span.0)
    }
}

/// Where a job writes.
pub struct Log {
    /// The file.
    pub path: PathBuf,
    /// A folder for what it leaves, below the target folder.
    pub folder: PathBuf,
    long: bool,
}

impl Log {
    /// Writes a line.
    pub fn say(&self, line: &str) {
        if let Ok(mut file) = self.append() {
            writeln!(file, "{line}").ok();
        }
    }

    /// Writes a line that the summary says again.
    pub fn note(&self, line: &str) {
        self.say(&format!("{NOTE}{line}"));
    }

    /// Everything that was written.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.path).unwrap_or_default()).into_owned()
    }

    fn append(&self) -> Result<File> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.path);
        file.with_context(|| format!("write {}", self.path.display()))
    }

    /// Runs a command to its end, with its output here.
    pub fn status(&self, command: &mut Command) -> Result<ExitStatus> {
        self.say(&format!("$ {}", words(command)));
        command
            .stdin(Stdio::null())
            .stdout(self.append()?)
            .stderr(self.append()?);
        let mut child = command
            .spawn()
            .with_context(|| format!("start {}", words(command)))?;
        let began = Instant::now();
        let most = if self.long { TIME_LONG } else { TIME_MAX };
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if began.elapsed() > most {
                end(&mut child)?;
                bail!(
                    "it hung: {} was ended after {} s",
                    words(command),
                    most.as_secs()
                );
            }
            std::thread::park_timeout(LOOK);
        }
    }

    /// Runs a command that has to succeed.
    pub fn run(&self, command: &mut Command) -> Result<()> {
        let status = self.status(command)?;
        ensure!(status.success(), "{} ended with {status}", words(command));
        Ok(())
    }

    /// Runs a command that has to succeed, and gives back what it wrote to its standard output.
    pub fn read(&self, command: &mut Command) -> Result<String> {
        self.say(&format!("$ {}", words(command)));
        let output = command
            .stdin(Stdio::null())
            .stderr(self.append()?)
            .output()?;
        ensure!(
            output.status.success(),
            "{} ended with {}",
            words(command),
            output.status
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

const NOTE: &str = "NOTE: ";

/// What the jobs share.
pub struct Shop {
    /// The root of the workspace.
    pub root: PathBuf,
    /// Only what is called this.
    pub only: Option<String>,
    /// Whether this is the form for a night.
    pub long: bool,
    folder: PathBuf,
    binaries: OnceLock<Vec<Binary>>,
}

impl Shop {
    /// Makes the folder for logs.
    pub fn open(root: &Path, arguments: &Arguments) -> Result<Self> {
        Ok(Self {
            root: root.to_owned(),
            only: arguments.only.clone(),
            long: arguments.long,
            folder: crate::scratch("ci")?,
            binaries: OnceLock::new(),
        })
    }

    /// A command that runs in the root of the workspace.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        // What cargo told xtask about itself would mislead the cargo that a job runs.
        command.env_remove("CARGO_MANIFEST_DIR");
        command
    }

    /// The program of the build that the tests are of: fast enough to be driven by others.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        self.root.join("target/debug/tradewind")
    }

    /// The test binaries; built now unless they are.
    pub fn binaries(&self) -> Result<&[Binary]> {
        if self.binaries.get().is_none() {
            let built = binary::build(&self.root)?;
            self.binaries.get_or_init(|| built);
        }
        Ok(self.binaries.get().map_or(&[], Vec::as_slice))
    }

    /// Runs one job to its end.
    pub fn run(&self, job: Job) -> Ended {
        let Job {
            section,
            name,
            work,
            ..
        } = job;
        let stem = format!("{section}-{}", name.replace(['/', ' '], "-"));
        let folder = self.folder.join(&stem);
        let log = Log {
            path: self.folder.join(format!("{stem}.log")),
            folder,
            long: self.long,
        };
        std::fs::remove_dir_all(&log.folder).ok();
        std::fs::create_dir_all(&log.folder).ok();
        std::fs::write(&log.path, "").ok();
        let began = Instant::now();
        let failure = work(self, &log).err().map(|error| format!("{error:#}"));
        let span = (began, Instant::now());
        let took = span.1.duration_since(began).as_secs_f64();
        let how = if failure.is_none() {
            "passed"
        } else {
            "FAILED"
        };
        crate::say(&format!("{section:<8} {name:<24} {how} in {took:>6.1} s"));
        let text = log.text();
        let notes = text
            .lines()
            .filter_map(|line| line.strip_prefix(NOTE))
            .map(str::to_owned);
        Ended {
            section,
            name,
            span,
            failure,
            notes: notes.collect(),
            log: log.path,
        }
    }
}

fn end(child: &mut Child) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(child.id())?);
    // So that it can end what it has started.
    kill(pid, Signal::SIGTERM).ok();
    let asked = Instant::now();
    while child.try_wait()?.is_none() && asked.elapsed() < GRACE {
        std::thread::park_timeout(LOOK);
    }
    child.kill().ok();
    child.wait()?;
    Ok(())
}

/// A command as one would type it.
fn words(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
