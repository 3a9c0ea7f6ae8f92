//! Runs test binaries side by side, each with a bound on its time.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::binary::Binary;
use super::event::Told;
use super::report;

/// A binary that takes longer hangs.
const TIME_MAX: Duration = Duration::from_secs(900);
/// How often it is looked whether a binary has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Binaries to run, and how.
pub struct Suite {
    /// The binaries, in the order in which they begin.
    pub binaries: Vec<Binary>,
    /// Only tests whose name, or whose binary's label, holds this.
    pub filter: Option<String>,
    /// How many binaries run at a time.
    pub at_once: usize,
    /// How many tests of a binary run at a time.
    pub threads: usize,
}

/// Is told a line.
pub type Say<'a> = dyn Fn(&str) + Sync + 'a;

/// What may happen to a process while it is tested.
pub trait Disturb: Sync {
    /// A test process has begun.
    fn began(&self, pid: u32);
    /// It is about to be reaped.
    fn ended(&self, pid: u32);
}

/// Nothing happens.
pub struct Undisturbed;

impl Disturb for Undisturbed {
    fn began(&self, _pid: u32) {}
    fn ended(&self, _pid: u32) {}
}

impl Suite {
    /// Runs everything that is wanted. `say` gets a line for each binary when it has ended.
    pub fn run(&self, say: &Say<'_>, disturb: &dyn Disturb) -> Result<Vec<Told>> {
        let folder = crate::scratch("tests")?;
        let queue: Mutex<VecDeque<&Binary>> = Mutex::new(self.binaries.iter().collect());
        let done = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let work = || {
                while let Some(binary) = lock(&queue).pop_front() {
                    let told = self.one(binary, &folder, disturb);
                    if let Some(line) = told.as_ref().map_or(None, report::line) {
                        say(&line);
                    }
                    lock(&done).push(told);
                }
            };
            for _ in 0..self.at_once {
                scope.spawn(work);
            }
        });
        let told: Result<Vec<Told>> = lock(&done).drain(..).collect();
        let told = told?;
        let count: usize = told.iter().map(|told| told.tests.len()).sum();
        let wanted = self.filter.as_deref().unwrap_or("anything");
        ensure!(count > 0, "no test was run: none is called `{wanted}`");
        Ok(told)
    }

    fn one(&self, binary: &Binary, folder: &Path, disturb: &dyn Disturb) -> Result<Told> {
        let name = binary.label().replace(' ', "-");
        let (out, err) = (
            folder.join(format!("{name}.out")),
            folder.join(format!("{name}.err")),
        );
        let mut command = Command::new(&binary.path);
        command
            .args([
                "-Z",
                "unstable-options",
                "--format",
                "json",
                "--report-time",
            ])
            .args(["--test-threads", &self.threads.to_string()])
            .current_dir(&binary.folder)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_MANIFEST_DIR", &binary.folder)
            .stdin(Stdio::null())
            .stdout(File::create(&out)?)
            .stderr(File::create(&err)?);
        if let Some(filter) = self
            .filter
            .as_ref()
            .filter(|filter| !binary.label().contains(*filter))
        {
            command.arg(filter);
        }
        let began = Instant::now();
        let mut child = command.spawn().with_context(|| format!("start {name}"))?;
        disturb.began(child.id());
        let status = ended(&mut child, began);
        disturb.ended(child.id());
        let status = status?;
        let lines = String::from_utf8_lossy(&std::fs::read(&out)?).into_owned();
        let mut told = Told::read(binary.clone(), &lines);
        told.took = began.elapsed();
        told.beside
            .push_str(&String::from_utf8_lossy(&std::fs::read(&err)?));
        if told.trouble.is_some() {
            told.trouble =
                Some(status.unwrap_or_else(|| format!("it hung for {} s", TIME_MAX.as_secs())));
        }
        Ok(told)
    }
}

/// Waits for the end: its status in words, or nothing when it was ended because it took too long.
fn ended(child: &mut Child, began: Instant) -> Result<Option<String>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(format!("its process ended: {status}")));
        }
        if began.elapsed() > TIME_MAX {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::park_timeout(LOOK);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
