//! A private NATS server with JetStream.

use std::path::Path;

use anyhow::Result;
use kernel::Random;

use super::{Server, Spec, free_port};
use crate::data::{DataDir, write_private};

pub(super) fn start(
    program: &Path,
    data: &DataDir,
    exe: &Path,
    random: &dyn Random,
) -> Result<(Server, String)> {
    let password = data.secret("nats.secret", random)?;
    let port = free_port()?;
    let file = data.join("nats.conf");
    let settings = format!(
        "host: 127.0.0.1\nport: {port}\njetstream {{ store_dir: {:?} }}\n\
         authorization {{ user: tradewind, password: {password:?} }}\n",
        data.join("nats").display().to_string()
    );
    write_private(&file, settings.as_bytes())?;
    let server = Spec {
        name: "nats",
        exe,
        signal: "SIGTERM",
        user: None,
        log: data.join("nats.log"),
        program,
        args: vec!["-c".to_owned(), file.display().to_string()],
    }
    .start()?;
    Ok((
        server,
        format!("nats://tradewind:{password}@127.0.0.1:{port}"),
    ))
}
