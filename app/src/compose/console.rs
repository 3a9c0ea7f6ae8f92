//! The console: sees the running system through [`System`].

use std::sync::Arc;

use crate::cluster::System;
use crate::compose::CONSOLE;
use crate::host::{Host, Hosted};

/// The page over `system`.
pub(crate) fn compose(host: &Host, system: Arc<System>) -> Hosted {
    let parts = console::build(
        console::Config::default(),
        console::Deps {
            cluster: system,
            ctx: host.ctx.clone(),
            tasks: host.pages.clone(),
        },
    );
    Hosted::page(CONSOLE, parts.routes, parts.handler)
}
