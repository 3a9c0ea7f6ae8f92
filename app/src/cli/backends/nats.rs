//! A private NATS server with JetStream.

use std::path::Path;

use anyhow::Result;
use kernel::Random;

use super::{Server, Spec, answers, on_free_port};
use crate::settings::data::{DataDir, write_private};

/// Starts the server and waits until it answers: where it is.
pub(super) async fn start(
    program: &Path,
    data: &DataDir,
    exe: &Path,
    random: &dyn Random,
) -> Result<(Server, String)> {
    let password = data.secret("nats.secret", random)?;
    let (file, log) = (data.join("nats.conf"), data.join("nats.log"));
    let attempt = async |port| {
        let settings = format!(
            "host: 127.0.0.1\nport: {port}\njetstream {{ store_dir: {:?} }}\n\
             authorization {{ user: tradewind, password: {password:?} }}\n",
            data.join("nats").display().to_string()
        );
        write_private(&file, settings.as_bytes())?;
        let mut server = Spec {
            name: "nats",
            exe,
            signal: "SIGTERM",
            user: None,
            log: log.clone(),
            program,
            args: vec!["-c".to_owned(), file.display().to_string()],
        }
        .start()?;
        let ask = format!(
            "CONNECT {{\"verbose\":false,\"user\":\"tradewind\",\"pass\":{password:?}}}\r\nPING\r\n"
        );
        answers(&mut server, port, &ask, "PONG\r\n").await?;
        Ok(server)
    };
    let (server, port) = on_free_port(&log, attempt).await?;
    Ok((
        server,
        format!("nats://tradewind:{password}@127.0.0.1:{port}"),
    ))
}
