//! A trial in which a twin is killed again and again, and what it lost is counted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kernel::Ctx;
use reports::Trial;
use twins::{Mode, Outcome, Plan};

use crate::error::{Error, Result, failed};
use crate::trial::Number;

/// How often somebody is told how far it is.
const TELL_EVERY: u32 = 50;

/// What is killed, and how often.
pub(crate) struct Killing<'a> {
    pub(crate) ctx: &'a Ctx,
    pub(crate) program: &'a Path,
    pub(crate) folder: PathBuf,
    pub(crate) name: &'a str,
    pub(crate) twin: &'a str,
    pub(crate) kills: u32,
}

impl Killing<'_> {
    pub(crate) async fn trial(
        &self,
        number: Number,
        say: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Trial> {
        let mode: Mode = self
            .twin
            .parse()
            .map_err(|error| Error::Bad(format!("{error}")))?;
        let _ = std::fs::remove_dir_all(&self.folder);
        let plan = Plan {
            mode,
            kills: self.kills,
            seed: number.seed,
            program: self.program.to_owned(),
            data: self.folder.clone(),
        };
        let (started_at, started) = (self.ctx.now().0, self.ctx.steady());
        let outcome = twins::run(&plan, |kills| {
            if kills % TELL_EVERY == 0 {
                say(&format!("{}: {kills} of {} kills", self.name, self.kills));
            }
        });
        let outcome = outcome.await.map_err(|error| failed(self.name, error))?;
        let _ = std::fs::remove_dir_all(&self.folder);
        Ok(Trial {
            variant: number.variant,
            block: number.block,
            started_at,
            elapsed_s: self.ctx.steady().since(started).as_secs_f64(),
            values: values(&outcome),
            latency: Vec::new(),
            seconds: Vec::new(),
            marks: Vec::new(),
            limited: None,
        })
    }
}

fn values(outcome: &Outcome) -> BTreeMap<String, f64> {
    let tally = outcome.tally;
    let figures = [
        ("told", outcome.told),
        ("stored", outcome.stored),
        ("mails", outcome.mails),
        ("unkept", tally.unkept),
        ("lost", tally.lost),
        ("doubled", tally.doubled),
        ("invented", tally.invented),
    ];
    let named = figures.into_iter();
    named
        .map(|(name, value)| (name.to_owned(), value as f64))
        .collect()
}
