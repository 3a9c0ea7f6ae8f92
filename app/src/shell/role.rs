//! What a process is: the whole system, its parent, or one service of it.

use kernel::Ctx;

use crate::settings::config::{Config, Topology};
use crate::shell::names::CONSOLE;

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Together,
    /// The parent of one process per service.
    Apart,
    /// One service.
    One {
        /// Its name.
        service: &'static str,
        /// Which of its replicas, from 1, when a supervisor counts them.
        replica: Option<u32>,
    },
}

impl Role {
    /// The role of a process that runs the whole system.
    #[must_use]
    pub fn whole(config: &Config) -> Self {
        match config.topology {
            Topology::Together => Self::Together,
            Topology::Apart => Self::Apart,
        }
    }

    /// One process, or one of several.
    pub(crate) fn topology(self) -> Topology {
        match self {
            Self::Together => Topology::Together,
            Self::Apart | Self::One { .. } => Topology::Apart,
        }
    }

    /// Whether `service` is in a process of this role.
    pub(crate) fn runs(self, service: &str) -> bool {
        match self {
            Self::Together => true,
            Self::Apart => service == CONSOLE,
            Self::One { service: own, .. } => service == own,
        }
    }

    pub(super) fn id(self, ctx: &Ctx) -> String {
        match self {
            Self::Together => "tradewind".to_owned(),
            Self::Apart => "supervisor".to_owned(),
            Self::One {
                service,
                replica: Some(replica),
            } => format!("{service}-{replica}"),
            Self::One {
                service,
                replica: None,
            } => {
                // In containers every process has the same number.
                let id = ctx.new_id().to_string();
                format!("{service}-{}", &id[id.len() - 6..])
            }
        }
    }
}
