//! One direction of a connection: a reader that stamps when each chunk is due, a bounded queue, and a
//! writer that keeps to it. So latency delays what is said without narrowing it.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::connection::Connection;

const CHUNK_BYTES: usize = 16 * 1024;
/// Chunks on their way in one direction: with their size, what a connection holds at most.
const CHUNKS_MAX: usize = 32;
/// A narrow pipe lets through what it may so often a second.
const PIECES_PER_S: u64 = 20;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// Something on its way, and when it is due.
struct Chunk {
    due: Instant,
    /// Nothing at the end.
    bytes: Option<Bytes>,
}

/// Carries everything that is said one way.
pub(crate) async fn pump(
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    (connection, way): (&Connection, Way),
) -> io::Result<()> {
    let (sender, queue) = mpsc::channel(CHUNKS_MAX);
    tokio::try_join!(
        read(from, sender, connection),
        write(to, queue, (connection, way))
    )?;
    Ok(())
}

async fn read(
    mut from: ReadHalf<'_>,
    queue: mpsc::Sender<Chunk>,
    connection: &Connection,
) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    let mut due = Instant::now();
    loop {
        buffer.reserve(CHUNK_BYTES);
        let read = from.read_buf(&mut buffer).await?;
        // Never before the one that came before: jitter does not reorder a stream.
        due = due.max(Instant::now() + connection.weather().delay());
        let bytes = (read > 0).then(|| buffer.split().freeze());
        let last = bytes.is_none();
        if queue.send(Chunk { due, bytes }).await.is_err() || last {
            return Ok(());
        }
    }
}

async fn write(
    mut to: WriteHalf<'_>,
    mut queue: mpsc::Receiver<Chunk>,
    (connection, way): (&Connection, Way),
) -> io::Result<()> {
    while let Some(Chunk { due, bytes }) = queue.recv().await {
        until(due, connection).await;
        connection.wait_out(|weather| weather.black_hole).await;
        if way == Way::Up && connection.weather().half_open {
            connection.tear();
            if bytes.is_none() {
                // The server is not told of the end either. When the fault ends, a reset does.
                std::future::pending::<()>().await;
            }
            continue;
        }
        match bytes {
            Some(bytes) => narrowly(&mut to, bytes, connection).await?,
            None => return to.shutdown().await,
        }
    }
    Ok(())
}

/// Waits until a chunk is due, or until nothing is late any more.
async fn until(due: Instant, connection: &Connection) {
    if due <= Instant::now() {
        return;
    }
    tokio::select! {
        () = tokio::time::sleep_until(due) => {}
        () = connection.wait_out(|weather| weather.is_slow()) => {}
    }
}

/// Writes `bytes`, not faster than a fault allows.
async fn narrowly(
    to: &mut WriteHalf<'_>,
    mut bytes: Bytes,
    connection: &Connection,
) -> io::Result<()> {
    while !bytes.is_empty() {
        let Some(bytes_per_s) = connection.weather().bytes_per_s else {
            return to.write_all(&bytes).await;
        };
        let most = usize::try_from((bytes_per_s / PIECES_PER_S).max(1)).unwrap_or(usize::MAX);
        let piece = bytes.split_to(most.min(bytes.len()));
        to.write_all(&piece).await?;
        let micros = (piece.len() as u64).saturating_mul(1_000_000) / bytes_per_s;
        tokio::select! {
            () = tokio::time::sleep(Duration::from_micros(micros)) => {}
            () = connection.wait_out(|weather| weather.bytes_per_s.is_some()) => {}
        }
    }
    Ok(())
}
