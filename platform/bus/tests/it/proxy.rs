//! Stands between a process and a server, and can swallow what the server says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel::Tasks;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// A proxy on a port of its own.
pub(crate) struct Proxy {
    port: u16,
    /// How many bytes are to be swallowed before the connection breaks.
    hungry: Arc<AtomicU64>,
    tasks: Tasks,
}

impl Proxy {
    /// Leads to the port in `url`, which ends with it.
    pub(crate) async fn to(url: &str) -> Self {
        let (_, port) = url.rsplit_once(':').expect("host:port");
        let server: u16 = port.parse().expect("a port");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let (hungry, tasks) = (Arc::<AtomicU64>::default(), Tasks::new());
        let (swallow, all) = (Arc::clone(&hungry), tasks.clone());
        tasks.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = all.stopping() => return,
                };
                let (client, _) = accepted.expect("accepted");
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else {
                    continue;
                };
                let (swallow, stop) = (Arc::clone(&swallow), all.clone());
                all.spawn(async move {
                    tokio::select! {
                        () = connection(client, server, &swallow) => {}
                        () = stop.stopping() => {}
                    }
                });
            }
        });
        Self {
            port,
            hungry,
            tasks,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Breaks the connection after `bytes` that the server sends from now on, none of which arrives.
    pub(crate) fn swallow(&self, bytes: u64) {
        self.hungry.store(bytes, Ordering::SeqCst);
    }

    pub(crate) fn is_sated(&self) -> bool {
        self.hungry.load(Ordering::SeqCst) == 0
    }

    pub(crate) async fn stop(&self) {
        self.tasks.shutdown().await;
    }
}

async fn connection(client: TcpStream, server: TcpStream, hungry: &AtomicU64) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let nothing = AtomicU64::new(0);
    tokio::select! {
        () = pump(from_client, to_server, &nothing) => {}
        () = pump(from_server, to_client, hungry) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, hungry: &AtomicU64) {
    let mut bytes = vec![0; 4_096];
    loop {
        let Ok(n @ 1..) = from.read(&mut bytes).await else {
            return;
        };
        let wanted = hungry.load(Ordering::SeqCst);
        if wanted > 0 {
            let left = wanted.saturating_sub(n as u64);
            hungry.store(left, Ordering::SeqCst);
            if left == 0 {
                return;
            }
        } else if to.write_all(&bytes[..n]).await.is_err() {
            return;
        }
    }
}
