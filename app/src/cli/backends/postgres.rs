//! A private PostgreSQL. It refuses to run as root, so root runs it as another user.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use kernel::Random;
use nix::unistd::{User, geteuid};
use tokio::process::Command;

use super::{Server, Spec, on_free_port, until};
use crate::settings::data::{DataDir, write_private};

/// Initialises the database if need be, starts the server and waits for it: where it is.
pub(super) async fn start(
    bin: &Path,
    data: &DataDir,
    exe: &Path,
    random: &dyn Random,
) -> Result<(Server, String)> {
    let home = data.join("postgres");
    let password = data.secret("postgres.secret", random)?;
    let user = user()?;
    std::fs::create_dir_all(&home)?;
    if let Some((uid, gid)) = user {
        chown(&home, Some(uid), Some(gid))?;
        reachable(data)?;
    }
    if !home.join("PG_VERSION").exists() {
        init(bin, &home, user, &password).await?;
    }
    let log = data.join("postgres.log");
    let attempt = async |port| {
        let mut args = vec!["-D".to_owned(), home.display().to_string()];
        let settings = [
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            "max_connections=200".to_owned(),
        ];
        args.extend(
            settings
                .into_iter()
                .flat_map(|setting| ["-c".to_owned(), setting]),
        );
        let mut server = Spec {
            name: "postgres",
            exe,
            signal: "SIGINT",
            user,
            log: log.clone(),
            program: &bin.join("postgres"),
            args,
        }
        .start()?;
        ready(&home, port, &mut server).await?;
        Ok(server)
    };
    let (server, port) = on_free_port(&log, attempt).await?;
    Ok((
        server,
        format!("postgres://tradewind:{password}@127.0.0.1:{port}/postgres"),
    ))
}

/// Waits until it takes connections: it says so in the last line of its pid file. One that a crash
/// has left names another port in its fourth.
async fn ready(home: &Path, port: u16, server: &mut Server) -> Result<()> {
    let file = home.join("postmaster.pid");
    let is_ready = |text: &str| {
        let of_port = text.lines().nth(3) == Some(&port.to_string());
        of_port && text.trim_end().ends_with("ready")
    };
    until(server, async || {
        std::fs::read_to_string(&file).is_ok_and(|text| is_ready(&text))
    })
    .await
}

async fn init(bin: &Path, home: &Path, user: Option<(u32, u32)>, password: &str) -> Result<()> {
    let file = home.with_extension("init");
    write_private(&file, password.as_bytes())?;
    let mut command = Command::new(bin.join("initdb"));
    command
        .arg("-D")
        .arg(home)
        .args([
            "-U",
            "tradewind",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ])
        .arg("--auth=scram-sha-256")
        .arg(format!("--pwfile={}", file.display()))
        .stdin(Stdio::null());
    if let Some((uid, gid)) = user {
        chown(&file, Some(uid), Some(gid))?;
        command.uid(uid).gid(gid);
    }
    let output = command.output().await.context("cannot start initdb");
    let _ = std::fs::remove_file(&file);
    let output = output?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said
            .lines()
            .find(|line| line.contains("error"))
            .unwrap_or("no reason given");
        bail!(
            "initdb could not make a database in {}: {line}",
            home.display()
        );
    }
    Ok(())
}

/// The user to run as when we are root.
fn user() -> Result<Option<(u32, u32)>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name)? {
            return Ok(Some((user.uid.as_raw(), user.gid.as_raw())));
        }
    }
    bail!("PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody'; use one")
}

/// Lets the other user walk through the data directory (not list it).
fn reachable(data: &DataDir) -> Result<()> {
    std::fs::set_permissions(data.path(), std::fs::Permissions::from_mode(0o711))?;
    for dir in data.path().ancestors().skip(1) {
        if dir.metadata()?.permissions().mode() & 0o001 == 0 {
            bail!(
                "PostgreSQL does not run as root, and another user cannot enter {}; run as that \
                 user, or choose another directory with --data",
                dir.display()
            );
        }
    }
    Ok(())
}
