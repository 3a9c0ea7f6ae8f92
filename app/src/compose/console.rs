//! The console: sees the running system through [`System`], and the lab's runs through [`KeptRuns`].

use std::sync::Arc;

use crate::cluster::System;
use crate::compose::CONSOLE;
use crate::host::{Host, Hosted};
use crate::runs::KeptRuns;

/// The page over `system`.
pub(crate) fn compose(host: &Host, system: Arc<System>) -> Hosted {
    let parts = console::build(
        console::Config::default(),
        console::Deps {
            cluster: system,
            runs: Arc::new(KeptRuns::new(host.data.join("lab"))),
            ctx: host.ctx.clone(),
            tasks: host.pages.clone(),
        },
    );
    Hosted::page(CONSOLE, parts.routes, parts.handler)
}
