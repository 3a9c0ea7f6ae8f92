//! The flags of `load`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::{HeaderName, HeaderValue};

use super::values;

#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    /// What is asked, such as http://127.0.0.1:8080/hello
    #[arg(required_unless_present = "targets")]
    pub(super) url: Option<String>,
    /// More targets: a file with one URL per line
    #[arg(long, value_name = "FILE")]
    pub(super) targets: Option<PathBuf>,
    /// Ask the first targets more often: 1/rank^EXPONENT instead of all alike
    #[arg(long, value_name = "EXPONENT", requires = "targets")]
    pub(super) zipf: Option<f64>,
    /// Requests per second
    #[arg(long, short, default_value_t = 50.0)]
    pub(super) rate: f64,
    /// Independent arrivals instead of even gaps
    #[arg(long)]
    pub(super) poisson: bool,
    /// Rates one after the other, such as 100,200,400
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "RATES",
        conflicts_with = "rate"
    )]
    pub(super) steps: Vec<f64>,
    /// How long each step lasts
    #[arg(long, default_value_t = 10, requires = "steps", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) step_seconds: u64,
    /// Another rate for a while, in seconds from the start; may be repeated
    #[arg(long, value_name = "RATE@START+LENGTH", value_parser = values::spike)]
    pub(super) spike: Vec<::load::Spike>,
    /// How long, such as 30s or 5m [default: 10s, or all steps]
    #[arg(long, short, value_parser = values::seconds)]
    pub(super) duration: Option<Duration>,
    /// End after so many requests
    #[arg(long, short = 'n')]
    pub(super) requests: Option<u64>,
    /// Connections that are kept open
    #[arg(long, short, default_value_t = 64)]
    pub(super) connections: usize,
    /// Speak HTTP/2, without asking first
    #[arg(long)]
    pub(super) http2: bool,
    /// Requests at once on one connection; with --http2
    #[arg(long, default_value_t = 32, requires = "http2")]
    pub(super) streams: usize,
    /// The method
    #[arg(long, short, default_value = "GET")]
    pub(super) method: http::Method,
    /// A header of every request; may be repeated
    #[arg(long, short = 'H', value_name = "NAME: VALUE", value_parser = values::header)]
    pub(super) header: Vec<(HeaderName, HeaderValue)>,
    /// The content of every request
    #[arg(long, conflicts_with = "body_file")]
    pub(super) body: Option<String>,
    /// A file with the content of every request
    #[arg(long, value_name = "FILE")]
    pub(super) body_file: Option<PathBuf>,
    /// Put a number in place of each {n} in the content, counted up from this
    #[arg(long, value_name = "FIRST")]
    pub(super) number_from: Option<u64>,
    /// Count as good only what is answered within this time
    #[arg(long, value_parser = values::seconds)]
    pub(super) deadline: Option<Duration>,
    /// How long an answer is waited for
    #[arg(long, default_value = "10s", value_parser = values::seconds)]
    pub(super) timeout: Duration,
    /// How many requests may wait for a connection
    #[arg(long, default_value_t = 100_000)]
    pub(super) queue: usize,
    /// Repeats every random choice of an earlier run
    #[arg(long)]
    pub(super) seed: Option<u64>,
}
