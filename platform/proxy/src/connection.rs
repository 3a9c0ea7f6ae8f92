//! One connection through the proxy: two pumps, and a watch for what breaks it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::Proxy;
use crate::pump::{Way, pump};
use crate::weather::{Decisions, Weather};

const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// One connection.
pub(crate) struct Connection {
    proxy: Arc<Proxy>,
    decisions: Decisions,
    /// Bytes of the client have vanished: there is no way on for what follows them.
    torn: AtomicBool,
}

impl Connection {
    pub(crate) fn new(proxy: Arc<Proxy>) -> Self {
        Self {
            proxy,
            decisions: Decisions::default(),
            torn: AtomicBool::new(false),
        }
    }

    /// What happens to it now.
    pub(crate) fn weather(&self) -> Weather {
        self.decisions.weather(&self.proxy.faults)
    }

    /// Tells of faults that begin and end from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        let mut changes = self.proxy.changes.clone();
        changes.mark_unchanged();
        changes
    }

    /// Notes that bytes have vanished.
    pub(crate) fn tear(&self) {
        self.torn.store(true, Ordering::Relaxed);
    }

    /// Waits while `bad` says so of the weather.
    pub(crate) async fn wait_out(&self, bad: impl Fn(&Weather) -> bool) {
        let mut changes = self.changes();
        while bad(&self.weather()) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Carries what `client` and the server say to each other, until both have said all.
    pub(crate) async fn carry(&self, mut client: TcpStream) {
        if self.weather().reset {
            return reset(&client);
        }
        self.wait_out(|weather| weather.black_hole).await;
        let connecting = tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(&self.proxy.to));
        let mut server = match connecting.await {
            Ok(Ok(server)) => server,
            Ok(Err(error)) => {
                tracing::debug!(to = self.proxy.to, %error, "nobody is behind the proxy");
                return reset(&client);
            }
            Err(_) => return reset(&client),
        };
        // Small messages are not held back: late is only what a fault makes late.
        let _ = client.set_nodelay(true).and(server.set_nodelay(true));
        let broken = {
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            let up = pump(from_client, to_server, (self, Way::Up));
            let down = pump(from_server, to_client, (self, Way::Down));
            tokio::select! {
                done = async { tokio::try_join!(up, down) } => done.is_err(),
                () = self.breaks() => true,
            }
        };
        if broken {
            reset(&client);
            reset(&server);
        }
    }

    /// Resolves when the connection has to be reset.
    async fn breaks(&self) {
        let mut changes = self.changes();
        loop {
            let weather = self.weather();
            let torn = self.torn.load(Ordering::Relaxed);
            if weather.reset || (torn && !weather.half_open) {
                return;
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Lets the end of `stream` be a reset instead of a farewell.
fn reset(stream: &TcpStream) {
    // If it cannot be set, it still ends.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
