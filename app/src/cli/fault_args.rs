//! The flags of `tradewind fault` and `tradewind proxy`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::target::Target;
use super::values;

#[derive(Debug, Args)]
pub(super) struct FaultArgs {
    #[command(subcommand)]
    pub(super) command: FaultCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum FaultCommand {
    /// Break something until its time is over
    Add(Box<AddArgs>),
    /// List what is broken, and for how long
    List(Target),
    /// End one fault, or all
    Clear {
        /// Its id [default: all]
        id: Option<String>,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// Where: call, request, socket, storage, events, clock or process
    pub(super) seam: String,
    /// What: such as latency, error, drop, reset, slow_commit, disk_full, step, kill, stop
    pub(super) effect: String,
    /// Only this service
    #[arg(long)]
    pub(super) service: Option<String>,
    /// Only this process, such as links-2
    #[arg(long)]
    pub(super) replica: Option<String>,
    /// Only calls of this service
    #[arg(long)]
    pub(super) caller: Option<String>,
    /// Only this method, path (its beginning) or consumer of events
    #[arg(long)]
    pub(super) method: Option<String>,
    /// How long a wait is, or how far a clock is set
    #[arg(long, allow_hyphen_values = true, value_name = "MILLISECONDS")]
    pub(super) ms: Option<i64>,
    /// By how much a wait varies
    #[arg(long, value_name = "MILLISECONDS")]
    pub(super) jitter_ms: Option<i64>,
    /// The kind of an error, such as unavailable, internal, rate_limited
    #[arg(long)]
    pub(super) code: Option<String>,
    /// What a narrow socket lets through
    #[arg(long, value_name = "BYTES")]
    pub(super) bytes_per_s: Option<u64>,
    /// The share that is struck, above 0 and up to 1 [default: 1]
    #[arg(long)]
    pub(super) probability: Option<f64>,
    /// Repeats the decisions of an earlier fault
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// End after so many hits
    #[arg(long)]
    pub(super) max_hits: Option<u64>,
    /// How long it lasts, such as 10s or 500ms; a kill needs none
    #[arg(long, value_parser = values::seconds)]
    pub(super) ttl: Option<Duration>,
    #[command(flatten)]
    pub(super) target: Target,
}

#[derive(Debug, Args)]
pub(super) struct ProxyArgs {
    /// Where clients come; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT")]
    pub(super) listen: SocketAddr,
    /// The server, such as 127.0.0.1:5432
    #[arg(long, value_name = "HOST:PORT", value_parser = place)]
    pub(super) to: String,
    /// What faults call it: --service NAME
    #[arg(long, default_value = "proxy")]
    pub(super) name: String,
    /// Where it takes faults; on this machine only
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub(super) admin: SocketAddr,
}

fn place(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':');
    let fine = parts.is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    fine.then(|| text.to_owned())
        .ok_or_else(|| "write HOST:PORT, such as 127.0.0.1:5432".to_owned())
}
