//! `tradewind serve`: one service, started by an orchestrator or by our own supervisor.

use std::fs::File;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use kernel::Ctx;
use nix::unistd::dup2_stdout;

use super::BadInput;
use super::args::ServeArgs;
use super::leash::let_go;
use super::output::Output;
use super::process;
use crate::compose::{self, Env, start};
use crate::settings::data::DataDir;
use crate::shell::names::{GATEWAY, servable};
use crate::shell::role::Role;

/// How long a process finishes requests when its supervisor was killed.
const ORPHAN_DRAIN: Duration = Duration::from_secs(3);

pub(super) fn run(args: &ServeArgs, output: Output) -> Result<ExitCode> {
    // What stands behind the gateway has one listener, which others of the system come to.
    let listen = if args.service == GATEWAY {
        "listen"
    } else {
        "internal.listen"
    };
    let config = args
        .shared
        .on(args.common.layers()?, listen)
        .merge(compose::names)?;
    process::log(&config)?;
    let data = DataDir::open(&config.data)?;
    process::safe(&config, &data)?;
    let named = |name: &&str| *name == args.service;
    let known = servable(&compose::listed(&config));
    let service = known.iter().copied().find(named).ok_or_else(|| {
        // Only what the lab wants is known to the command line and not to every system.
        let (known, asked) = (known.join(", "), &args.service);
        BadInput(format!(
            "this system has no {asked}; set lab.stage = true, or serve one of {known}"
        ))
    })?;
    let supervised = args.supervised.is_some();
    let listener = if service == GATEWAY && supervised {
        Some(inherited()?)
    } else {
        None
    };
    let env = Env {
        ctx: Ctx::system(),
        exe: std::env::current_exe().context("cannot find this program")?,
        role: Role::One {
            service,
            replica: args.supervised,
        },
        listener,
        demo: false,
    };
    process::runtime(&config)?.block_on(async {
        let mut signals = process::Signals::new()?;
        let running = start(config, env).await?;
        if !supervised {
            output.say(&format!("{} is ready", service), running.ready())?;
        }
        let orphaned = tokio::select! {
            () = signals.next() => false,
            () = let_go(), if supervised => {
                tracing::warn!("the supervisor is gone; stopping");
                true
            }
        };
        let drain = async {
            // Nobody supervises what is left over for long.
            let within = if orphaned {
                ORPHAN_DRAIN
            } else {
                Duration::MAX
            };
            // Either way this is the end of it.
            let _ = tokio::time::timeout(within, running.drain()).await;
        };
        tokio::select! {
            () = drain => {}
            () = signals.next() => std::process::exit(130),
            () = let_go(), if supervised && !orphaned => std::process::exit(130),
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// The public listener, which our supervisor holds open and hands down as standard output.
fn inherited() -> Result<TcpListener> {
    let fd = std::io::stdout().as_fd().try_clone_to_owned();
    let listener = TcpListener::from(fd.context("standard output is closed")?);
    listener
        .local_addr()
        .context("standard output is no listener; leave --supervised to 'up'")?;
    // As long as standard output is the listener too, it would not close when we close it.
    let nowhere = File::options().write(true).open("/dev/null")?;
    dup2_stdout(nowhere).context("cannot let go of standard output")?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
