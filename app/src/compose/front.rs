//! Serves the public listener.

use std::net::TcpListener;

use anyhow::Result;
use gateway::Gateway;
use kernel::Tasks;

/// Serves `listener` until `tasks` are asked to stop, and then drains it.
pub(crate) fn serve(gateway: Gateway, listener: TcpListener, tasks: &Tasks) -> Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let serving = tasks.clone();
    tasks.spawn(async move {
        match gateway.serve(listener, &serving).await {
            Ok(drained) if drained.cut > 0 => {
                tracing::warn!(
                    connections = drained.cut,
                    "cut connections that did not end in time"
                );
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the gateway could not serve"),
        }
    });
    Ok(())
}
