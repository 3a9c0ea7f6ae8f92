//! The console: sees the running system through [`System`], and the lab's runs through [`KeptRuns`].

use std::sync::Arc;

use crate::compose::runs::KeptRuns;
use crate::operate::cluster::System;
use crate::shell::host::Host;
use crate::shell::hosted::Hosted;
use crate::shell::names::CONSOLE;

/// The page over `system`.
pub(crate) fn compose(host: &Host, system: Arc<System>) -> Hosted {
    let parts = console::build(
        console::Config::default(),
        console::Deps {
            cluster: system,
            runs: Arc::new(KeptRuns::new(host.data.join("lab"))),
            ctx: host.ctx.clone(),
            tasks: host.tasks.clone(),
            leaving: host.leave.leaving(),
        },
    );
    Hosted::page(CONSOLE, parts.routes, parts.handler)
}
