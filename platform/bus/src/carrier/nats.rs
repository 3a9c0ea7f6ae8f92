//! The carrier through NATS JetStream.
//!
//! Each lane has a stream of its own, which the relay makes anew whenever it begins: an incarnation.
//! JetStream's word is taken for nothing (it acknowledges before it syncs, and can be wiped): events
//! are chained by position, the consumer says which piece of the chain it has committed, and the
//! relay moves its cursor only when that piece joins what was confirmed before.

mod lane;
mod names;
pub(crate) mod pull;

use std::time::Duration;

use async_nats::{ConnectOptions, ServerAddr, jetstream};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

pub(crate) use lane::NatsLane;

/// The header with the position of the event before.
const PREVIOUS: &str = "Tradewind-Previous";
/// JetStream redelivers what is not acknowledged by then; our inbox drops what came twice.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// How to use NATS.
#[derive(Debug, Clone)]
pub struct NatsOptions {
    /// The first word of streams and subjects: two systems on one NATS need different ones.
    pub prefix: String,
    /// How long NATS may take to answer.
    pub timeout: Duration,
    /// How many bytes a lane's stream may hold.
    pub stream_bytes_max: i64,
}

impl Default for NatsOptions {
    fn default() -> Self {
        Self {
            prefix: "tradewind".to_owned(),
            timeout: Duration::from_secs(5),
            stream_bytes_max: 256 * 1024 * 1024,
        }
    }
}

/// The URL names no NATS.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the bus URL is not one of nats://HOST:PORT: {reason}")]
pub struct NatsError {
    /// What is wrong with it.
    pub reason: String,
}

/// A process's connection to NATS. Cheap to clone.
#[derive(Clone)]
pub struct Nats {
    client: async_nats::Client,
    jetstream: jetstream::Context,
    options: NatsOptions,
}

impl std::fmt::Debug for Nats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nats")
            .field("up", &self.is_up())
            .finish_non_exhaustive()
    }
}

/// The piece of the chain that a consumer has committed in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Piece {
    /// The incarnation of the stream that it came by.
    incarnation: i128,
    /// The position before its first event.
    after: i64,
    /// The position of its last event.
    upto: i64,
}

impl Nats {
    /// Begins to connect in the background, and again whenever the connection breaks. Fails only
    /// when the URL is wrong. `nats://user:password@..` and `nats://token@..` say who connects.
    pub async fn open(url: &str, options: NatsOptions) -> Result<Self, NatsError> {
        let wrong = |e: &dyn std::fmt::Display| NatsError {
            reason: e.to_string(),
        };
        let server: ServerAddr = url.parse().map_err(|e| wrong(&e))?;
        let client = authorised(&server)
            .name("tradewind")
            .retry_on_initial_connect()
            .connection_timeout(options.timeout)
            .request_timeout(Some(options.timeout))
            .reconnect_delay_callback(|tries| {
                Duration::from_millis(50 * (1 << tries.min(5))).min(Duration::from_secs(1))
            })
            .connect(server)
            .await
            .map_err(|e| wrong(&e))?;
        let jetstream = jetstream::ContextBuilder::new()
            .timeout(options.timeout)
            .ack_timeout(options.timeout)
            .build(client.clone());
        Ok(Self {
            client,
            jetstream,
            options,
        })
    }

    /// Whether the connection is up.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    fn names(&self, producer: &str, consumer: &str) -> names::Names {
        names::Names::new(&self.options.prefix, producer, consumer)
    }
}

/// With what the address says of who connects; the client takes that from its options alone.
fn authorised(server: &ServerAddr) -> ConnectOptions {
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let options = ConnectOptions::new();
    match (server.username(), server.password()) {
        (Some(user), Some(password)) => options.user_and_password(plain(user), plain(password)),
        (Some(token), None) => options.token(plain(token)),
        (None, _) => options,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::{Nats, NatsOptions};

    /// What a client says of itself to a server at the address that `url` makes of a port.
    async fn said(url: impl Fn(u16) -> String) -> Value {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let _nats = Nats::open(&url(port), NatsOptions::default()).await;
        let (mut stream, _) = listener.accept().await.expect("it connects");
        let hello = json!({
            "server_id": "A", "server_name": "A", "version": "2.10.0", "go": "", "proto": 1,
            "host": "127.0.0.1", "port": port, "max_payload": 1_048_576, "headers": true,
            "client_id": 1, "auth_required": true,
        });
        let hello = format!("INFO {hello}\r\n");
        stream.write_all(hello.as_bytes()).await.expect("written");
        let mut line = String::new();
        let mut reader = BufReader::new(stream);
        reader.read_line(&mut line).await.expect("read");
        let said = line.strip_prefix("CONNECT ").expect("it says who it is");
        serde_json::from_str(said).expect("JSON")
    }

    #[tokio::test]
    async fn who_connects_stands_in_the_url() {
        let both = said(|port| format!("nats://some%40one:p%2Fw@127.0.0.1:{port}")).await;
        assert_eq!(
            (&both["user"], &both["pass"]),
            (&"some@one".into(), &"p/w".into())
        );
        let token = said(|port| format!("nats://secret@127.0.0.1:{port}")).await;
        assert_eq!(token["auth_token"], "secret");
        let nobody = said(|port| format!("nats://127.0.0.1:{port}")).await;
        assert_eq!(nobody["user"], Value::Null);
    }
}
