//! Runs an experiment from the command line: prediction, progress, report.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use experiments::{Error, Form, Lab, Spec, Target, Wanted, clean_up};
use kernel::Ctx;
use reports::Run;
use tokio_util::sync::CancellationToken;

use super::super::output::{Output, write_out};
use super::super::process::Signals;
use super::args::RunArgs;
use super::shelf::{Shelf, write};
use super::{bad, library};

pub(super) fn run(args: &RunArgs, output: Output) -> Result<ExitCode> {
    let spec = library::find(&args.experiment)?;
    let guess = guess(args, &spec, output)?;
    let shelf = Shelf::of(&args.place);
    let target = args.target.as_ref().map(|url| Target {
        url: url.clone(),
        key: args.key.clone(),
    });
    let wanted = Wanted {
        form: form(args.quick),
        seed: args.seed,
        guess,
    };
    let mut run = measured(spec, &wanted, target, &shelf)?;
    let html = shelf.keep(&mut run)?;
    if let Some(path) = &args.html {
        write(path, reports::to_html(&run).as_bytes())?;
    }
    if let Some(path) = &args.markdown {
        write(path, reports::to_markdown(&run).as_bytes())?;
    }
    if output.json {
        write_out(&format!("{}\n", reports::to_json(&run)));
    } else {
        let text = reports::to_text(&run);
        let kept = format!("run {}\nreport {}", run.id, html.display());
        write_out(&format!("{}\n\n{kept}\n", text.trim_end()));
    }
    let well = !run.ended_early && run.checks.iter().all(reports::CheckOutcome::passed);
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The form that a flag asks for.
pub(super) const fn form(quick: bool) -> Form {
    match quick {
        true => Form::Quick,
        false => Form::Whole,
    }
}

/// Runs `spec` with progress on standard error; a signal ends it, and everything is cleaned up.
pub(super) fn measured(
    spec: Spec,
    wanted: &Wanted,
    target: Option<Target>,
    shelf: &Shelf,
) -> Result<Run> {
    let mut runs = in_turn(vec![spec], wanted, target, shelf)?;
    runs.pop().context("nothing was run")
}

/// Runs one of `specs` after the other, as [`measured`] does. When a signal ends them, the last run
/// is the one that was ended early, or the one before it if that had measured nothing.
pub(super) fn in_turn(
    specs: Vec<Spec>,
    wanted: &Wanted,
    target: Option<Target>,
    shelf: &Shelf,
) -> Result<Vec<Run>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ctx = Ctx::system();
    let cancel = CancellationToken::new();
    let first = specs.first().map_or("none", |spec| spec.id.get_ref());
    let folder = shelf.folder(&format!(".{first}-{}", std::process::id()));
    let lab = Lab {
        program: std::env::current_exe().context("cannot find this program")?,
        folder: std::path::absolute(&folder)?,
        ctx,
        target,
        cancel: cancel.clone(),
        say: Arc::new(|line| {
            // Nobody is left to be told when standard error is gone.
            let _ = writeln!(std::io::stderr(), "{line}");
        }),
    };
    let ended = runtime.block_on(async {
        let mut signals = Signals::new()?;
        let mut running = std::pin::pin!(each(&lab, specs, wanted));
        let ended = tokio::select! {
            runs = &mut running => runs,
            () = signals.next() => {
                cancel.cancel();
                tokio::select! {
                    runs = &mut running => runs,
                    () = signals.next() => std::process::exit(130),
                }
            }
        };
        Ok::<_, anyhow::Error>(ended)
    })?;
    clean_up(&folder);
    ended.map_err(|error| match error {
        Error::Mistake(_) | Error::Bad(_) => bad(error),
        Error::Failed(_) | Error::Unready(_) | Error::Ended => anyhow!(error),
    })
}

async fn each(lab: &Lab, specs: Vec<Spec>, wanted: &Wanted) -> Result<Vec<Run>, Error> {
    let all = specs.len();
    let mut runs = Vec::new();
    for (spec, number) in specs.into_iter().zip(1..) {
        if all > 1 {
            (lab.say)(&format!("{number} of {all}: {}", spec.title));
        }
        match lab.run(spec, wanted).await {
            Ok(run) if run.ended_early => {
                runs.push(run);
                break;
            }
            Ok(run) => runs.push(run),
            Err(Error::Ended) if !runs.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(runs)
}

/// What the reader predicts, if they are asked to.
fn guess(args: &RunArgs, spec: &Spec, output: Output) -> Result<Option<String>> {
    let Some(given) = &args.predict else {
        return Ok(None);
    };
    let Some(asked) = &spec.prediction else {
        return Err(bad(format!("{} asks for no prediction", args.experiment)));
    };
    let options = &asked.options;
    let mut text = given.clone();
    if text.is_empty() {
        if output.json || !std::io::stdin().is_terminal() {
            return Err(bad(
                "there is nobody to ask; give the answer: --predict GUESS",
            ));
        }
        let choices = match options.is_empty() {
            true => String::new(),
            false => format!(" ({})", options.join(", ")),
        };
        let why = spec.why.trim();
        write_out(&format!("{why}\n\n{}{choices}\n> ", asked.question));
        std::io::stdin().read_line(&mut text)?;
    }
    let text = text.trim().to_owned();
    if !options.is_empty() && !options.contains(&text) {
        return Err(bad(format!("answer one of: {}", options.join(", "))));
    }
    if options.is_empty()
        && text
            .trim_end_matches(['x', '%'])
            .trim()
            .parse::<f64>()
            .is_err()
    {
        return Err(bad(format!("'{text}' is no number; {}", asked.question)));
    }
    Ok(Some(text))
}
