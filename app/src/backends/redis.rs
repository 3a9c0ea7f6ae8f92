//! A private Redis or Valkey: memory only, since it holds nothing that is not elsewhere too.

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
    let password = data.secret("redis.secret", random)?;
    let port = free_port()?;
    let file = data.join("redis.conf");
    let settings = format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave \"\"\nappendonly no\n\
         maxmemory 64mb\nmaxmemory-policy allkeys-lru\n"
    );
    write_private(&file, settings.as_bytes())?;
    let server = Spec {
        name: "redis",
        exe,
        signal: "SIGTERM",
        user: None,
        log: data.join("redis.log"),
        program,
        args: vec![file.display().to_string()],
    }
    .start()?;
    Ok((server, format!("redis://:{password}@127.0.0.1:{port}/0")))
}
