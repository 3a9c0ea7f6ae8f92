//! `tradewind twin`: the worker that an experiment kills; see the crate `twins`.

use std::process::ExitCode;

use anyhow::Result;

use super::BadInput;
use super::args::TwinArgs;

pub(super) fn run(args: &TwinArgs) -> Result<ExitCode> {
    let mode = args.mode.parse();
    let mode: twins::Mode = mode.map_err(|error: twins::TwinError| BadInput(error.to_string()))?;
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
