//! The guard: runs one server and stops it when its own standard input ends.
//!
//! The input is a pipe from the parent, so it also ends when the parent is killed.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;

use crate::cli::leash::let_go;

/// How long a server may take to stop before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(8);

/// Runs `command` until it ends or our standard input does; then stops it with `signal`.
pub(crate) async fn guard(
    signal: Signal,
    user: Option<(u32, u32)>,
    command: &[String],
) -> Result<ExitCode> {
    let (program, args) = command.split_first().context("no program to guard")?;
    let mut server = Command::new(program);
    server
        .args(args)
        .stdin(std::process::Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    if let Some((uid, gid)) = user {
        server.uid(uid).gid(gid);
    }
    let mut server = server
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    tokio::select! {
        status = server.wait() => {
            let code = status?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
            return Ok(ExitCode::from(code));
        }
        () = let_go() => {}
    }
    if let Some(pid) = server.id().and_then(|id| i32::try_from(id).ok()) {
        // It may have ended by itself in this moment.
        let _ = kill(Pid::from_raw(pid), signal);
    }
    if tokio::time::timeout(STOP_WITHIN, server.wait())
        .await
        .is_err()
    {
        server.kill().await?;
    }
    Ok(ExitCode::SUCCESS)
}
