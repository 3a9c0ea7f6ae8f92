//! A private Redis or Valkey: memory only, since it holds nothing that is not elsewhere too.

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
    let password = data.secret("redis.secret", random)?;
    let (file, log) = (data.join("redis.conf"), data.join("redis.log"));
    let attempt = async |port| {
        let settings = format!(
            "bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave \"\"\nappendonly no\n\
             maxmemory 64mb\nmaxmemory-policy allkeys-lru\n"
        );
        write_private(&file, settings.as_bytes())?;
        let mut server = Spec {
            name: "redis",
            exe,
            signal: "SIGTERM",
            user: None,
            log: log.clone(),
            program,
            args: vec![file.display().to_string()],
        }
        .start()?;
        answers(
            &mut server,
            port,
            &format!("AUTH {password}\r\n"),
            "+OK\r\n",
        )
        .await?;
        Ok(server)
    };
    let (server, port) = on_free_port(&log, attempt).await?;
    Ok((server, format!("redis://:{password}@127.0.0.1:{port}/0")))
}
