//! `tradewind twin`: the worker that an experiment kills; see the crate `twins`.

use std::process::ExitCode;
use std::str::FromStr as _;

use anyhow::Result;
use twins::Mode;

use super::BadInput;
use super::args::TwinArgs;

pub(super) fn run(args: &TwinArgs) -> Result<ExitCode> {
    let mode = Mode::from_str(&args.mode).map_err(|error| BadInput(error.to_string()))?;
    // One thread is quick to start, and databases bring their own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut out = std::io::stdout().lock();
    runtime.block_on(async {
        if args.settle {
            twins::settle(mode, &args.data, &mut out).await
        } else {
            twins::work(mode, &args.data, &mut out).await
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
