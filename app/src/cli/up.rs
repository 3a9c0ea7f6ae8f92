//! `tradewind up`: the whole system, from flags to the last flush.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use kernel::Ctx;

use super::args::UpArgs;
use super::backends::Backends;
use super::output::Output;
use super::{BadInput, banner, leash, process};
use crate::compose::{self, Env, Running, start};
use crate::settings::config::{Config, Layers, Mistake};
use crate::settings::data::DataDir;
use crate::shell::role::Role;

pub(super) fn run(args: UpArgs, output: Output) -> Result<ExitCode> {
    let config = layers(&args)?.merge(compose::names)?;
    process::log(&config)?;
    let data = DataDir::open(&config.data)?;
    process::safe(&config, &data)?;
    let runtime = process::runtime(&config)?;
    runtime.block_on(up(args, config, data, output))
}

/// The layers of the configuration, with the flags on top.
fn layers(args: &UpArgs) -> Result<Layers, Mistake> {
    let mut layers = args.shared.on(args.common.layers()?, "listen");
    if args.apart {
        layers = layers.with_flag("--apart", "topology", "apart");
    }
    if args.strict {
        layers = layers.with_flag("--strict", "hand_over", "strict");
    }
    for (service, count) in &args.replicas {
        layers = layers.with_flag("--replicas", &format!("replicas.{service}"), count);
    }
    Ok(layers)
}

async fn up(args: UpArgs, mut config: Config, data: DataDir, output: Output) -> Result<ExitCode> {
    let mut ending = Ending::new(&args)?;
    let held = data
        .hold()
        .map_err(|error| anyhow!(BadInput(error.to_string())))?;
    let exe = std::env::current_exe().context("cannot find this program")?;
    let backends = match args.backends {
        Some(_) => Some(local(&mut config, &data, &exe).await?),
        None => None,
    };
    let role = Role::whole(&config);
    let env = Env {
        ctx: Ctx::system(),
        exe,
        role,
        listener: None,
        demo: args.demo,
    };
    // A signal while starting ends at once: nothing has been promised yet.
    let running = tokio::select! {
        running = start(config, env) => running?,
        () = ending.next() => return Ok(ExitCode::SUCCESS),
    };
    announce(&running, &args, &data, output)?;
    ending.next().await;
    if !output.json {
        super::output::write_out("\nstopping: requests in flight finish; again to stop at once\n");
    }
    // Nobody is to find us while we go.
    let _ = std::fs::remove_file(data.ready_file());
    tokio::select! {
        () = running.drain() => {}
        () = ending.signals.next() => std::process::exit(130),
    }
    if let Some(backends) = backends {
        backends.stop().await;
    }
    drop(held);
    Ok(ExitCode::SUCCESS)
}

/// What ends the system: a signal, or the end of whoever holds its leash.
struct Ending {
    signals: process::Signals,
    leash: BoxFuture<'static, ()>,
}

impl Ending {
    fn new(args: &UpArgs) -> Result<Self> {
        Ok(Self {
            signals: process::Signals::new()?,
            leash: match args.leash {
                true => leash::let_go().boxed(),
                false => std::future::pending().boxed(),
            },
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            () = self.signals.next() => {}
            () = &mut self.leash => {}
        }
    }
}

async fn local(config: &mut Config, data: &DataDir, exe: &std::path::Path) -> Result<Backends> {
    let backends = Backends::start(data, exe, &*Ctx::system().random)
        .await
        .map_err(|error| anyhow!(BadInput(format!("{error:#}"))))?;
    config.store.url = Some(backends.urls.store.clone());
    config.cache.url = Some(backends.urls.cache.clone());
    config.bus.url = Some(backends.urls.bus.clone());
    Ok(backends)
}

/// Says where everything is, to people, programs and files.
fn announce(running: &Running, args: &UpArgs, data: &DataDir, output: Output) -> Result<()> {
    let ready = running.ready();
    ready.write(&data.ready_file())?;
    if let Some(path) = &args.ready_file {
        let path: PathBuf = std::path::absolute(path)?;
        ready.write(&path)?;
    }
    output.say(&banner::of(running, data), ready)?;
    Ok(())
}
