//! Sections that are run whole each time: format, build, tests, release, stamp, tidy, deny.

use anyhow::{Context as _, Result, bail, ensure};

use super::super::job::{Job, Log, Shop};
use crate::running::{Data, Running};
use crate::suite::run::Undisturbed;
use crate::suite::{self, Wanted};
use crate::workspace::Workspace;
use crate::{stamp_test, tidy};

/// The program may have so many bytes by itself, and so many for each service.
const PROGRAM_BYTES: u64 = 30_000_000;
/// See [`PROGRAM_BYTES`]; with 22 services that is below 80 MB.
const SERVICE_BYTES: u64 = 2_250_000;
/// What a system at rest may hold in memory.
const MEMORY_BYTES: u64 = 60_000_000;

pub(super) fn format() -> Job {
    Job::new("format", ("rustfmt", 3.0), |shop, log| {
        let check = ["fmt", "--all", "--", "--check", "-l", "--color", "never"];
        log.run(shop.command("cargo").args(check))
            .context("run cargo fmt on the files above")
    })
}

pub(super) fn build() -> Job {
    Job::new("build", ("everything", 190.0), |shop, log| {
        let everything = [
            "test",
            "--workspace",
            "--all-targets",
            "--locked",
            "--no-run",
            "--quiet",
        ];
        log.run(shop.command("cargo").args(everything))?;
        shop.binaries().map(|_| ())
    })
}

pub(super) fn tests() -> Job {
    Job::new("tests", ("all", 90.0), |shop, log| {
        let wanted = Wanted {
            filter: shop.only.clone(),
            slowest: 0,
        };
        let say = |line: &str| {
            crate::say(&format!("         {line}"));
            log.say(line);
        };
        let told = suite::told(shop.binaries()?, &wanted, (&say, &Undisturbed))?;
        log.say(&suite::report::whole(&told));
        // Others count the tests of a run by such a line.
        let failed: usize = told.iter().map(|told| told.failed().count()).sum();
        let passed: usize = told.iter().map(suite::event::Told::passed).sum();
        crate::say(&format!("{passed} passed, {failed} failed"));
        ensure!(suite::report::is_well(&told), "{failed} tests failed");
        Ok(())
    })
}

/// Twenty rounds of the tests in bad weather.
pub(super) fn luck() -> Job {
    Job::new("tests", ("luck", 3_600.0), |shop, log| {
        log.run(shop.command("cargo").args(["xtask", "flaky"]))
            .context("what failed even once is decided by luck")
    })
}

pub(super) fn tidy() -> Job {
    Job::new("tidy", ("rules", 5.0), |shop, log| {
        let outcome = tidy::run(&Workspace::load(&shop.root)?)?;
        log.say(&outcome.text);
        ensure!(outcome.success, "the house rules are broken: see above");
        Ok(())
    })
}

pub(super) fn stamp() -> Job {
    Job::new("stamp", ("parcels", 80.0), |shop, log| {
        let outcome = stamp_test::run(&shop.root, &|command| log.run(command))?;
        log.say(&outcome.text);
        Ok(())
    })
}

pub(super) fn deny() -> Job {
    Job::new("deny", ("dependencies", 15.0), |shop, log| {
        let deny = |words: &[&str]| {
            let mut command = shop.command("cargo");
            command.args(["deny", "--log-level", "error"]).args(words);
            command
        };
        log.run(&mut deny(&["check", "bans", "licenses", "sources"]))?;
        if log.status(&mut deny(&["fetch", "db"]))?.success() {
            return log.run(&mut deny(&["check", "advisories"]));
        }
        log.note("ADVISORIES WERE NOT CHECKED: their database cannot be reached from here");
        Ok(())
    })
}

pub(super) fn release() -> Job {
    Job::new("release", ("tradewind", 300.0), |shop, log| {
        let mut cargo = shop.command("nice");
        cargo.args([
            "cargo",
            "build",
            "--release",
            "--locked",
            "--quiet",
            "-p",
            "tradewind",
        ]);
        // What is measured is what a user builds.
        cargo
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .env_remove("CLIPPY_ARGS");
        log.run(&mut cargo)?;
        let program = shop.root.join("target/release/tradewind");
        let bytes = std::fs::metadata(&program)?.len();
        let services = Workspace::load(&shop.root)?.services().count();
        let most = PROGRAM_BYTES + SERVICE_BYTES * u64::try_from(services)?;
        log.note(&format!(
            "the release binary has {} of {} MB",
            bytes / 1_000_000,
            most / 1_000_000
        ));
        ensure!(
            bytes <= most,
            "the binary is too large: cargo xtask build-cost tells which crate is"
        );
        at_rest(shop, log, &program)
    })
}

fn at_rest(_shop: &Shop, log: &Log, program: &std::path::Path) -> Result<()> {
    let data = Data::new("ci-release")?;
    let system = Running::start(
        program,
        &["up", "--listen", "127.0.0.1:0"],
        data.path(),
        "up",
    )?;
    let status = std::fs::read_to_string(format!("/proc/{}/status", system.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let Some(kib) = line.and_then(|line| line.split_whitespace().next()) else {
        bail!("the kernel does not tell how much memory the system holds");
    };
    let bytes = kib.parse::<u64>()? * 1_024;
    log.note(&format!(
        "at rest it holds {} of {} MB of memory",
        bytes / 1_000_000,
        MEMORY_BYTES / 1_000_000
    ));
    ensure!(
        bytes <= MEMORY_BYTES,
        "at rest the system holds too much memory"
    );
    system.stop()
}
