//! The commands and their flags.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use nix::sys::signal::Signal;

use super::fault_args::{FaultArgs, ProxyArgs};
use super::lab::LabArgs;
use super::load_args::LoadArgs;
use super::target::Target;
use crate::compose;
use crate::settings::config::{Config, Layers, Mistake};

/// The classic systems of system design, for real, in one binary.
#[derive(Debug, Parser)]
#[command(
    name = "tradewind",
    version,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the system: in one process, or one process per service (--apart)
    Up(Box<UpArgs>),
    /// Run one service, for an orchestrator
    Serve(ServeArgs),
    /// Check or show the configuration
    Config(ConfigArgs),
    /// Create, list and revoke API keys
    Key(KeyArgs),
    /// List, read and turn the design knobs of a running system
    Knob(KnobArgs),
    /// Break something on purpose, for a while; see and end what is broken
    Fault(FaultArgs),
    /// What runs where, and how it fares
    Status(StatusArgs),
    /// Load a server over HTTP at a rate of your own, and tell what it cost
    Load(Box<LoadArgs>),
    /// Experiments: change the design, load it, break it, and read what it cost
    Lab(LabArgs),
    /// Stand between a server and its clients, and break their connections on purpose
    Proxy(ProxyArgs),
    /// The version of this program
    Version,
    /// Run a server and stop it when standard input ends
    #[command(hide = true)]
    Guard(GuardArgs),
    /// Stop a process for a while
    #[command(hide = true)]
    Thaw {
        /// Its number
        pid: u32,
        /// When it was started, in ticks since the machine was
        start: u64,
        /// For how long, in milliseconds
        ttl_ms: u64,
    },
    /// Take orders in one of several designs until killed; an experiment does that
    #[command(hide = true)]
    Twin(TwinArgs),
}

/// Where the configuration comes from.
#[derive(Debug, Clone, Args)]
pub(super) struct Common {
    /// The configuration file [default: tradewind.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Where databases and keys live [default: ./.tradewind]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
}

impl Common {
    /// The layers of the configuration, with these flags on top.
    pub(super) fn layers(&self) -> Result<Layers, Mistake> {
        let layers = Layers::read(self.config.as_deref(), std::env::vars_os())?;
        Ok(match &self.data {
            Some(data) => layers.with_flag("--data", "data", data.display()),
            None => layers,
        })
    }

    /// The merged configuration.
    pub(super) fn load(&self) -> Result<Config, Mistake> {
        self.layers()?.merge(compose::names)
    }
}

#[derive(Debug, Args)]
pub(super) struct UpArgs {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(flatten)]
    pub(super) shared: Shared,
    /// Seed example data and drive gentle traffic
    #[arg(long)]
    pub(super) demo: bool,
    /// One supervised process per service
    #[arg(long)]
    pub(super) apart: bool,
    /// Processes of one service, such as links=3; with --apart
    #[arg(long, value_name = "SERVICE=NUMBER", value_parser = replicas)]
    pub(super) replicas: Vec<(String, u32)>,
    /// Send calls within the process through the codecs, as if there were a network
    #[arg(long)]
    pub(super) strict: bool,
    /// Start private PostgreSQL, Redis and NATS servers in the data directory, and use them
    #[arg(long, value_name = "WHERE")]
    pub(super) backends: Option<BackendsChoice>,
    /// Write one JSON object with every URL here, once all is ready
    #[arg(long, value_name = "FILE")]
    pub(super) ready_file: Option<PathBuf>,
    /// End when standard input ends
    #[arg(long, hide = true)]
    pub(super) leash: bool,
}

/// Flags of `up` and `serve`.
#[derive(Debug, Args)]
pub(super) struct Shared {
    /// The address to listen on; port 0 takes a free one [default: 127.0.0.1:8080, and a free
    /// port for a service behind the gateway]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(super) listen: Option<String>,
    /// sqlite, or postgres://user:password@host/database
    #[arg(long, value_name = "URL")]
    pub(super) store: Option<String>,
    /// redis://host:port/0 as the second tier of caches
    #[arg(long, value_name = "URL")]
    pub(super) cache: Option<String>,
    /// nats://host:port to carry events
    #[arg(long, value_name = "URL")]
    pub(super) bus: Option<String>,
}

impl Shared {
    /// `layers` with these flags on top; `listen` is the key of the address that is meant.
    pub(super) fn on(&self, mut layers: Layers, listen: &str) -> Layers {
        let flags = [
            ("--listen", listen, &self.listen),
            ("--store", "store.url", &self.store),
            ("--cache", "cache.url", &self.cache),
            ("--bus", "bus.url", &self.bus),
        ];
        for (flag, key, value) in flags {
            if let Some(value) = value {
                layers = layers.with_flag(flag, key, value);
            }
        }
        layers
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum BackendsChoice {
    /// On this machine
    Local,
}

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The service
    #[arg(value_parser = PossibleValuesParser::new(compose::choices()))]
    pub(super) service: String,
    #[command(flatten)]
    pub(super) common: Common,
    #[command(flatten)]
    pub(super) shared: Shared,
    /// End when standard input ends, and take the public listener from standard output
    #[arg(long, hide = true)]
    pub(super) supervised: Option<u32>,
}

#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    pub(super) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say whether the configuration is valid, or where the mistake is
    Check {
        /// The file [default: tradewind.toml, if it is there]
        file: Option<PathBuf>,
    },
    /// Show the effective configuration, without secrets
    Show(Common),
}

#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    #[command(subcommand)]
    pub(super) command: KeyCommand,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Create a key and print it, once
    Create {
        /// What to call it
        name: String,
        /// What it may do, such as links:read; may be given several times [default: everything]
        #[arg(long = "scope", value_name = "SERVICE:ACTION")]
        scopes: Vec<String>,
        /// For which tenant it asks [default: default]
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
    },
    /// List the names of the keys
    List,
    /// Revoke a key
    Revoke {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct KnobArgs {
    #[command(subcommand)]
    pub(super) command: KnobCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum KnobCommand {
    /// List every knob with its setting and what it trades
    List(Target),
    /// List every knob that exists, each at its default; nothing needs to run
    Catalogue,
    /// Read one knob
    Get {
        /// Such as links.cache
        knob: String,
        #[command(flatten)]
        target: Target,
    },
    /// Turn one knob, everywhere, now
    Set {
        /// Such as links.cache
        knob: String,
        /// The new setting
        value: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) target: Target,
}

#[derive(Debug, Args)]
pub(super) struct TwinArgs {
    /// outbox, commit-first or publish-first
    #[arg(long)]
    pub(super) mode: String,
    /// Where its two databases are
    #[arg(long, value_name = "DIR")]
    pub(super) data: PathBuf,
    /// Let what is under way arrive, and list what there is
    #[arg(long)]
    pub(super) settle: bool,
}

#[derive(Debug, Args)]
pub(super) struct GuardArgs {
    /// The signal that stops the server
    #[arg(long)]
    signal: Signal,
    /// The user and group to run it as
    #[arg(long, value_parser = user)]
    user: Option<(u32, u32)>,
    /// The server
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

impl GuardArgs {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(super::backends::guard(
            self.signal,
            self.user,
            &self.command,
        ))
    }
}

fn replicas(text: &str) -> Result<(String, u32), String> {
    let parts = text.split_once('=');
    parts
        .and_then(|(service, count)| Some((service.to_owned(), count.parse().ok()?)))
        .ok_or_else(|| "write SERVICE=NUMBER, such as links=3".to_owned())
}

fn user(text: &str) -> Result<(u32, u32), String> {
    let parts = text.split_once(':');
    parts
        .and_then(|(uid, gid)| Some((uid.parse().ok()?, gid.parse().ok()?)))
        .ok_or_else(|| "write UID:GID".to_owned())
}
