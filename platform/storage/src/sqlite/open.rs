//! Opening a SQLite file: where it is, and its settings.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::translate;
use crate::{Error, ErrorKind, Result};

/// How many statements whose text depends on a request are kept prepared.
const DYNAMIC_STATEMENTS_MAX: usize = 64;

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Memory,
    File(PathBuf),
}

impl Place {
    /// `:memory:`, `///abs/path.db`, `//rel/path.db` or `path.db`.
    pub(crate) fn parse(place: &str) -> Result<Self> {
        if place == ":memory:" {
            return Ok(Self::Memory);
        }
        let path = place.strip_prefix("//").unwrap_or(place);
        if path.is_empty() || path.ends_with('/') {
            return Err(Error::new(
                ErrorKind::Config,
                "a SQLite store names a file: sqlite:///path/file.db",
            ));
        }
        Ok(Self::File(PathBuf::from(path)))
    }
}

/// Opens the connection that writes.
pub(crate) fn writer(place: &Place, wait_max: Duration) -> Result<Connection> {
    let conn = match place {
        Place::Memory => Connection::open_in_memory().map_err(translate)?,
        Place::File(path) => open_file(path)?,
    };
    // Who waits is told by the callers here; the driver's own five seconds would come on top.
    conn.busy_timeout(Duration::ZERO).map_err(translate)?;
    patiently(wait_max, || {
        conn.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA cache_size = -16384;
             PRAGMA temp_store = MEMORY;
             PRAGMA wal_autocheckpoint = 4000;
             PRAGMA journal_size_limit = 67108864;",
        )
    })?;
    conn.set_prepared_statement_cache_capacity(DYNAMIC_STATEMENTS_MAX);
    Ok(conn)
}

/// Opens a connection that can only read.
pub(crate) fn reader(path: &Path, wait_max: Duration) -> Result<Connection> {
    let conn = open_file(path)?;
    conn.busy_timeout(wait_max).map_err(translate)?;
    conn.execute_batch(
        "PRAGMA query_only = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA cache_size = -16384;
         PRAGMA mmap_size = 268435456;
         PRAGMA temp_store = MEMORY;",
    )
    .map_err(translate)?;
    conn.set_prepared_statement_cache_capacity(DYNAMIC_STATEMENTS_MAX);
    Ok(conn)
}

fn open_file(path: &Path) -> Result<Connection> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(|e| {
            let folder = folder.display();
            Error::new(
                ErrorKind::Config,
                format!("cannot make the folder {folder}: {e}"),
            )
        })?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|e| {
        let (path, e) = (path.display(), translate(e));
        Error::new(e.kind().clone(), format!("cannot open {path}: {e}"))
    })
}

/// Tries again while another process holds the file, for at most `wait_max`.
pub(crate) fn patiently(
    wait_max: Duration,
    mut step: impl FnMut() -> rusqlite::Result<()>,
) -> Result<()> {
    let end = Instant::now() + wait_max;
    let mut rounds = 0_u32;
    loop {
        match step() {
            Ok(()) => return Ok(()),
            Err(e) if is_busy(&e) && Instant::now() < end => {
                rounds += 1;
                nap(rounds);
            }
            Err(e) => return Err(translate(e)),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Sleeps 0.2 to 1.2 ms: short, so that no turn is wasted, and never the same twice in a row, so that
/// two processes do not march in step.
#[expect(
    clippy::disallowed_methods,
    reason = "runs on a database thread, which has no runtime"
)]
pub(crate) fn nap(round: u32) {
    let spread = u64::from(round.wrapping_mul(2_654_435_761).rotate_left(7) ^ std::process::id());
    std::thread::sleep(Duration::from_micros(200 + spread % 1_000));
}
