//! What the console needs to know of the running system. The composition root implements it, for
//! one process or for many.

use async_trait::async_trait;
use bytes::Bytes;
use faults::{FaultSpec, FaultView};
use kernel::{Code, Coded, Timestamp};
use serde::{Deserialize, Serialize};

/// What the system stands on, in the words of the page's head line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The version of the program.
    pub version: String,
    /// `together` or `apart`.
    pub topology: String,
    /// `SQLite`, `PostgreSQL`.
    pub store: String,
    /// `memory`, `Redis`.
    pub cache: String,
    /// `in process`, `mesh`, `NATS`.
    pub bus: String,
}

/// Whether a process can be worked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaState {
    /// It started and is not ready yet.
    Starting,
    /// It answers.
    Up,
    /// It finishes what it has and takes nothing new.
    Draining,
    /// It ended and will be started again.
    Restarting,
    /// It does not answer.
    Down,
}

/// One process and the services in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replica {
    /// Its name: `links-2`.
    pub id: String,
    /// The services that it runs.
    pub services: Vec<String>,
    /// Whether it can be worked with.
    pub state: ReplicaState,
    /// The address of its internal listener.
    pub address: Option<String>,
    /// The operating system's number for it.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
    /// Since when it is in this state.
    pub since: Timestamp,
}

/// A design choice of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnobView {
    /// The service.
    pub service: String,
    /// The knob's name within it.
    pub name: String,
    /// The setting now.
    pub value: String,
    /// The setting that it starts with.
    pub default: String,
    /// Every setting that it may have.
    pub allowed: Vec<String>,
    /// One line: what it trades for what.
    pub trades: String,
    /// Whether replicas disagree at the moment.
    #[serde(default)]
    pub mixed: bool,
}

/// A fault, in every process that it was sent to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultAt {
    /// The fault; its hits are those of all processes.
    #[serde(flatten)]
    pub fault: FaultView,
    /// The processes that took it.
    pub replicas: Vec<String>,
    /// The processes that it was meant for, and that did not take it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<String>,
}

/// The system could not be asked, or said no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// The process does not answer.
    #[error("{replica} does not answer; see whether it runs, and try again")]
    Unreachable {
        /// Which process.
        replica: String,
    },
    /// There is no such process, knob or trace.
    #[error("{0}")]
    NotFound(String),
    /// The change is not allowed.
    #[error("{0}")]
    Refused(String),
}

impl Coded for ClusterError {
    fn code(&self) -> Code {
        match self {
            Self::Unreachable { .. } => Code::Unavailable,
            Self::NotFound(_) => Code::NotFound,
            Self::Refused(_) => Code::Invalid,
        }
    }
}

/// The running system, seen from outside of its services.
#[async_trait]
pub trait Cluster: Send + Sync + 'static {
    /// What it stands on.
    fn about(&self) -> About;

    /// Its processes, in a stable order.
    async fn replicas(&self) -> Vec<Replica>;

    /// The answer of one process to a GET of `/metrics` or of a path below `/admin`.
    async fn get(&self, replica: &str, path: &str) -> Result<Bytes, ClusterError>;

    /// Every knob of every service.
    async fn knobs(&self) -> Result<Vec<KnobView>, ClusterError>;

    /// Sets a knob in every replica of its service, to be kept over restarts. Answers when all of them
    /// show it, or after a few seconds with `mixed` set when one does not.
    async fn set_knob(
        &self,
        service: &str,
        name: &str,
        value: &str,
    ) -> Result<KnobView, ClusterError>;

    /// Every fault at work, oldest first.
    async fn faults(&self) -> Result<Vec<FaultAt>, ClusterError>;

    /// Begins a fault in every process that it is meant for.
    async fn inject(&self, spec: FaultSpec) -> Result<FaultAt, ClusterError>;

    /// Ends a fault everywhere; answers where it was.
    async fn end_fault(&self, id: &str) -> Result<Vec<String>, ClusterError>;
}
