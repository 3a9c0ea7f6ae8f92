//! `tradewind load`: flags to a plan, a run with its progress, and its report.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use ::load::{Handle, Plan, Popularity, Process, Profile, Protocol, Report, Run, RunError, Target};
use anyhow::{Result, anyhow};
use kernel::Ctx;

use super::BadInput;
use super::load_args::LoadArgs;
use super::output::Output;
use super::process::Signals;

/// After so long without any answer somebody is told.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long it runs when nothing is said.
const DURATION: Duration = Duration::from_secs(10);
/// The largest file of targets or of content that is read.
const FILE_BYTES_MAX: u64 = 64 << 20;

pub(super) fn run(args: &LoadArgs, output: Output) -> Result<ExitCode> {
    let ctx = Ctx::system();
    let plan = plan(args, ctx.random.next_u64())?;
    let run = Run::new(plan, ctx.clock).map_err(bad)?;
    let handle = run.handle();
    let report = run.to_end(watch(handle)).map_err(|error| match error {
        RunError::Io(_) => anyhow::Error::new(error),
        known => bad(known),
    })?;
    say(&report, output)
}

/// The report, and failure when there is nothing in it.
fn say(report: &Report, output: Output) -> Result<ExitCode> {
    let code = output.say(&report.to_text(), report)?;
    let failed = report.answered == 0 && !report.ended_early;
    Ok(if failed { ExitCode::FAILURE } else { code })
}

/// Shows the progress on a terminal, and resolves on a signal to end.
async fn watch(handle: Handle) {
    let Ok(mut signals) = Signals::new() else {
        return std::future::pending().await;
    };
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let terminal = std::io::stderr().is_terminal();
    let mut told = false;
    loop {
        tokio::select! {
            () = signals.next() => return,
            _ = ticks.tick() => {}
        }
        let progress = handle.progress();
        if !told && progress.answered == 0 && progress.scheduled > 0 && progress.elapsed >= PATIENCE
        {
            told = true;
            tell(&format!(
                "tradewind: no answer within {} s; waiting on",
                PATIENCE.as_secs()
            ));
        }
        if terminal && let Some(last) = progress.last {
            tell(&format!(
                "{:>5} s  {:>8} due  {:>8} answered  {:>6} errors  {:>8} waiting  p50 {:.2} ms  p99 {:.2} ms",
                last.second + 1,
                last.scheduled,
                last.answered,
                last.errors,
                last.waiting,
                last.p50_ms,
                last.p99_ms,
            ));
        }
    }
}

/// Nobody is left to be told when standard error is gone.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn bad(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!(BadInput(error.to_string()))
}

fn plan(args: &LoadArgs, seed: u64) -> Result<Plan> {
    let mut plan = Plan::new(targets(args)?);
    plan.popularity = args
        .zipf
        .map_or(Popularity::Uniform, |exponent| Popularity::Zipf {
            exponent,
        });
    plan.method = args.method.clone();
    for (name, value) in &args.header {
        plan.headers.append(name.clone(), value.clone());
    }
    plan.body = match (&args.body, &args.body_file) {
        (Some(text), _) => text.clone().into(),
        (None, Some(file)) => read(file)?.into(),
        (None, None) => Default::default(),
    };
    plan.process = if args.poisson {
        Process::Poisson
    } else {
        Process::Constant
    };
    // JSON keeps whole numbers up to 2^53 everywhere.
    plan.seed = args.seed.unwrap_or(seed >> 11);
    plan.requests = args.requests;
    plan.duration = args.duration;
    plan.protocol = if args.http2 {
        Protocol::Http2
    } else {
        Protocol::Http1
    };
    plan.connections = args.connections;
    plan.streams = args.streams;
    plan.queue = args.queue;
    plan.timeout = args.timeout;
    plan.deadline = args.deadline;
    plan.numbered_from = args.number_from;
    rates(args, &mut plan);
    Ok(plan)
}

fn rates(args: &LoadArgs, plan: &mut Plan) {
    let each = Duration::from_secs(args.step_seconds);
    let mut steps = None;
    plan.profile = match args.steps.is_empty() {
        true => Profile::constant(args.rate),
        false => {
            let count = u32::try_from(args.steps.len()).unwrap_or(u32::MAX);
            steps = Some(each.saturating_mul(count));
            Profile::steps(&args.steps, each)
        }
    };
    for spike in &args.spike {
        plan.profile = plan.profile.clone().with_spike(*spike);
    }
    if plan.duration.is_none() && plan.requests.is_none() {
        plan.duration = Some(steps.unwrap_or(DURATION));
    }
}

fn targets(args: &LoadArgs) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    if let Some(url) = &args.url {
        targets.push(Target::parse(url).map_err(bad)?);
    }
    if let Some(file) = &args.targets {
        let text = String::from_utf8(read(file)?)
            .map_err(|_| bad(format!("{} is no UTF-8 text", file.display())))?;
        for (line, number) in text.lines().map(str::trim).zip(1..) {
            if !line.is_empty() && !line.starts_with('#') {
                let target = Target::parse(line);
                targets.push(
                    target.map_err(|why| bad(format!("{}:{number}: {why}", file.display())))?,
                );
            }
        }
    }
    Ok(targets)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let failed = |why: &dyn std::fmt::Display| bad(format!("{}: {why}", file.display()));
    let size = file.metadata().map_err(|error| failed(&error))?.len();
    if size > FILE_BYTES_MAX {
        return Err(failed(&format!("larger than {} MiB", FILE_BYTES_MAX >> 20)));
    }
    std::fs::read(file).map_err(|error| failed(&error))
}
