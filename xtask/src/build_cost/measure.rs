//! Runs the cold build whose timings are read: cargo's own, in a target directory that is new.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::{Build, Times};

/// What the kernel counts the time of processes in; the same on every Linux that is built for x86-64.
const TICKS_PER_SECOND: f64 = 100.0;

/// What one cold build left behind.
pub(super) struct Cold {
    /// Cargo's page of timings.
    pub(super) page: String,
    /// Wall and CPU time of the whole.
    pub(super) times: Times,
    /// The size of the program, where the build made one.
    pub(super) binary_bytes: Option<u64>,
}

/// Builds everything anew below `target/build-cost`, which is removed before and after.
pub(super) fn cold(root: &Path, build: Build) -> Result<Cold> {
    let target = root.join("target/build-cost");
    remove(&target)?;
    let made = run(root, &target, build);
    remove(&target)?;
    made
}

fn run(root: &Path, target: &Path, build: Build) -> Result<Cold> {
    let (started, cpu_before_s) = (Instant::now(), children_cpu_s()?);
    let status = Command::new("cargo")
        .args(build.arguments())
        .args(["--locked", "--timings"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", target)
        // A wrapper is another compiler, or a cache; and cargo told us of a crate of ours.
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CARGO_MANIFEST_DIR")
        .status()
        .context("run cargo")?;
    let command = build.arguments().join(" ");
    ensure!(status.success(), "`cargo {command}` failed");
    let times = Times {
        wall_s: started.elapsed().as_secs_f64(),
        cpu_s: Some(children_cpu_s()? - cpu_before_s),
    };
    let program = std::fs::metadata(target.join("release/tradewind"));
    Ok(Cold {
        page: crate::read(&target.join("cargo-timings/cargo-timing.html"))?,
        times,
        binary_bytes: program.ok().map(|file| file.len()),
    })
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// The CPU time of all children that have ended, and of theirs: `cutime` and `cstime` of proc(5).
fn children_cpu_s() -> Result<f64> {
    let text = crate::read(Path::new("/proc/self/stat"))?;
    cpu_s_of(&text).context("read the CPU time in /proc/self/stat")
}

/// The fields count from behind the name of the program, which may hold spaces and brackets.
fn cpu_s_of(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(13);
    let ticks = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_time_of_children_is_read_behind_any_name() {
        let stat = "7 (a ) 1 2) S 1 7 7 0 -1 4194560 900 80000 0 0 3 2 1500 250 20 0 1 0 99 0 0";
        assert_eq!(cpu_s_of(stat), Some(17.5));
        assert_eq!(cpu_s_of("7 (cut off) S 1"), None);
    }
}
