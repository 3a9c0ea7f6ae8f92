//! The commands of the lab and their flags.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(in crate::cli) struct LabArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: LabCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LabCommand {
    /// The experiments that come with the program, in the order of the journey
    List,
    /// What an experiment asks, and how: its file
    Show {
        /// Its name, or a file
        experiment: String,
    },
    /// Run an experiment, and keep its report
    Run(RunArgs),
    /// Prove in a few seconds that an experiment runs and that each of its checks can fail
    Prove(ProveArgs),
    /// Two runs side by side
    Compare {
        /// A run: its name, or its run.json
        before: String,
        /// Another one
        after: String,
        #[command(flatten)]
        place: Place,
    },
    /// Write the file of a new experiment, to be changed
    New {
        /// Its name, such as my-cache
        name: String,
    },
    /// Compare identical variants many times, and tell how often a difference is claimed
    SelfTest(SelfTestArgs),
    /// What each setting of each knob costs, against its default, on a load that shows it
    Prices(PricesArgs),
}

/// Where runs are kept.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Place {
    /// Runs are kept in DIR/lab [default: ./.tradewind]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RunArgs {
    /// Its name, or a file
    pub(super) experiment: String,
    /// The short form: the mechanism, not the last digit
    #[arg(long)]
    pub(super) quick: bool,
    /// Repeats every random choice of an earlier run
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// Ask for a prediction first, or take this one
    #[arg(long, value_name = "GUESS", num_args = 0..=1, default_missing_value = "")]
    pub(super) predict: Option<String>,
    /// Use the system with this internal address instead of a private one
    #[arg(long, value_name = "URL")]
    pub(super) target: Option<String>,
    /// The API key to show to that system
    #[arg(
        long,
        env = "TRADEWIND_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub(super) key: Option<String>,
    /// Write the report as one HTML page here, too
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Write the report as Markdown here, too
    #[arg(long, value_name = "FILE")]
    pub(super) markdown: Option<PathBuf>,
    #[command(flatten)]
    pub(super) place: Place,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ProveArgs {
    /// Its name, or a file
    pub(super) experiment: String,
    /// Repeats every random choice of an earlier proof
    #[arg(long)]
    pub(super) seed: Option<u64>,
    #[command(flatten)]
    pub(super) place: Place,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SelfTestArgs {
    /// How many experiments with identical variants
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(super) experiments: u32,
    /// How long each trial is, in seconds
    #[arg(long, default_value_t = 0.5)]
    pub(super) seconds: f64,
    /// Draw the trials instead of measuring a system: what is found then is the same each time
    #[arg(long, conflicts_with = "seconds")]
    pub(super) simulated: bool,
    /// Draws other trials
    #[arg(long, default_value_t = 1, requires = "simulated")]
    pub(super) seed: u64,
    #[command(flatten)]
    pub(super) place: Place,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PricesArgs {
    /// Knobs, such as links.cache [default: all]
    #[arg(value_name = "KNOB")]
    pub(super) knobs: Vec<String>,
    /// The short form: the large differences, not the last digit
    #[arg(long)]
    pub(super) quick: bool,
    /// Write the whole list as Markdown here, too
    #[arg(long, value_name = "FILE", conflicts_with = "knobs")]
    pub(super) markdown: Option<PathBuf>,
    #[command(flatten)]
    pub(super) place: Place,
}
