//! What each section runs, as jobs.

mod crash;
mod kept;
mod lab;
mod served;

use anyhow::{Result, ensure};

use super::arguments::Arguments;
use super::choice::Choice;
use super::job::{Job, Shop};

/// The jobs that have the machine for themselves, in order.
pub(super) fn first(arguments: &Arguments) -> Vec<Job> {
    let mut jobs = Vec::new();
    if arguments.wants("format") {
        jobs.push(kept::format());
    }
    let needs_build = arguments.sections.iter().any(|name| !is_buildless(name));
    if arguments.sections.is_empty() || needs_build {
        jobs.push(kept::build());
    }
    if arguments.wants("tests") {
        jobs.push(kept::tests());
        if arguments.long {
            jobs.push(kept::luck());
        }
    }
    jobs
}

/// Whether a section runs nothing that was built for tests.
fn is_buildless(name: &str) -> bool {
    matches!(name, "format" | "deny" | "install" | "release")
}

/// The jobs of the pool.
pub(super) fn rest(shop: &Shop, arguments: &Arguments, choice: &Choice) -> Result<Vec<Job>> {
    type Make = fn(&Shop, &Choice) -> Result<Vec<Job>>;
    let makers: [(&str, Make); 9] = [
        ("release", |_, _| Ok(vec![kept::release()])),
        ("stamp", |_, _| Ok(vec![kept::stamp()])),
        ("tidy", |_, _| Ok(vec![kept::tidy()])),
        ("deny", |_, _| Ok(vec![kept::deny()])),
        ("metrics", |_, _| Ok(served::metrics())),
        ("crash", |_, choice| Ok(crash::jobs(choice))),
        ("openapi", served::openapi),
        ("browser", served::browser),
        ("lab", lab::jobs),
    ];
    let mut jobs = Vec::new();
    for (name, make) in makers {
        if arguments.wants(name) {
            jobs.extend(make(shop, choice)?);
        }
    }
    // What `--only` means inside of a job is for the job: a test of the suite, a check in a browser.
    let names_a_job = jobs.iter().any(|job| arguments.means(&job.name));
    if names_a_job {
        jobs.retain(|job| arguments.means(&job.name));
    }
    let only = arguments.only.as_deref().unwrap_or_default();
    let within = ["tests", "browser", "crash"];
    let inside = arguments
        .sections
        .iter()
        .any(|name| within.contains(&name.as_str()));
    ensure!(
        names_a_job || inside || only.is_empty(),
        "nothing in these sections is called {only}"
    );
    Ok(jobs)
}
