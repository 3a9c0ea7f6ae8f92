//! A private PostgreSQL.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use nix::sys::signal::Signal;
use nix::unistd::{Uid, User};
use tokio::sync::OnceCell;

use crate::guard::{ServerProcess, answers, free_ports, server_directory, start_on, until_ready};
use crate::{find_program, skipped};

/// A start-up message of the PostgreSQL protocol 3.0: a server that lets us in answers `R`; one
/// that is still recovering answers `E`.
const STARTUP: &[u8] = b"\0\0\0\x2A\0\x03\0\0user\0tradewind\0database\0postgres\0\0";

/// A PostgreSQL of the tests' own. Each test takes a schema of its own in it.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    durable: bool,
    process: Option<ServerProcess>,
    directory: PathBuf,
}

impl Postgres {
    /// The one that all tests of this process share, without fsync; `None` when PostgreSQL is not
    /// installed (in CI that panics).
    pub async fn shared() -> Option<&'static Self> {
        static SHARED: OnceCell<Option<Postgres>> = OnceCell::const_new();
        SHARED.get_or_init(|| Self::start(false)).await.as_ref()
    }

    /// Starts one for this test alone; `durable` says whether it syncs.
    pub async fn start(durable: bool) -> Option<Self> {
        if find_program("initdb").is_none() {
            skipped("postgresql", "install Debian's package postgresql");
            return None;
        }
        let directory = server_directory("postgres").expect("a directory for postgres");
        initialise(&directory).expect("initdb");
        let launch = async |port| launch(port, durable, &directory).await;
        let started = start_on(free_ports(), launch).await;
        let (port, process) = started.expect("postgres starts");
        Some(Self {
            port,
            durable,
            process: Some(process),
            directory,
        })
    }

    /// `postgres://tradewind@127.0.0.1:PORT/postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://tradewind@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops the postmaster from answering new connections.
    pub fn pause(&self) {
        self.process.iter().for_each(|p| p.signal(Signal::SIGSTOP));
    }

    /// Ends it and every session at once, without a checkpoint, as a crash does; its data stays for
    /// [`Postgres::start_again`].
    ///
    /// This is its immediate shutdown: after a SIGKILL of the postmaster alone, sessions live on for a
    /// moment and keep the next one from starting.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.quit_and_keep();
        }
    }

    /// Starts it on the same port and data.
    pub async fn start_again(&mut self) {
        let process = launch(self.port, self.durable, &self.directory).await;
        self.process = Some(process.expect("postgres starts"));
    }
}

async fn launch(port: u16, durable: bool, directory: &Path) -> anyhow::Result<ServerProcess> {
    let mut command = as_server_user();
    let program = find_program("postgres").context("postgres beside initdb")?;
    command.push(program.into_os_string());
    command.push("-D".into());
    command.push(directory.join("data").into_os_string());
    let sync = if durable { "on" } else { "off" };
    for setting in [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        "max_connections=200".to_owned(),
        // Each deadlock that a test provokes costs this much.
        "deadlock_timeout=100ms".to_owned(),
        format!("fsync={sync}"),
        // What is committed is with the system at least, so that a kill loses nothing.
        "synchronous_commit=on".to_owned(),
        format!("full_page_writes={sync}"),
    ] {
        command.push("-c".into());
        command.push(OsString::from(setting));
    }
    let process = ServerProcess::spawn(directory.to_owned(), &command)?;
    let ready = until_ready("postgres", (&process, port), || {
        answers(port, STARTUP, b"R")
    });
    if let Err(error) = ready.await {
        // The database is made already: another port may do.
        process.quit_and_keep();
        return Err(error);
    }
    Ok(process)
}

/// PostgreSQL refuses to run as root: then it runs as the user `postgres`, or `nobody`.
fn server_user() -> Option<User> {
    if !Uid::effective().is_root() {
        return None;
    }
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten())
}

fn as_server_user() -> Vec<OsString> {
    let Some(user) = server_user() else {
        return Vec::new();
    };
    vec![
        "setpriv".into(),
        format!("--reuid={}", user.uid).into(),
        format!("--regid={}", user.gid).into(),
        "--clear-groups".into(),
    ]
}

fn initialise(directory: &Path) -> anyhow::Result<()> {
    if let Some(user) = server_user() {
        std::os::unix::fs::chown(directory, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
    }
    let mut command = as_server_user();
    command.push(find_program("initdb").context("initdb")?.into_os_string());
    let data = directory.join("data");
    let output = Command::new(&command[0])
        .args(&command[1..])
        .args([
            "--username=tradewind",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ])
        .args(["--no-sync", "--pgdata"])
        .arg(&data)
        .current_dir("/")
        .output()?;
    anyhow::ensure!(
        output.status.success(),
        "initdb failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
