//! The load of a trial: one generator thread for each kind of request, all in this process, which is
//! not the one that is measured.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use kernel::Ctx;
use load::{Handle, Plan, Popularity, Profile, Report, Run, Spike, Target};
use tokio::sync::oneshot;

use crate::error::{Error, Result, failed};
use crate::seed::Link;
use crate::spec::{LoadSpec, Process, RequestSpec};

/// A load that runs.
pub(crate) struct Running {
    pub(crate) name: String,
    handle: Handle,
    report: oneshot::Receiver<std::result::Result<Report, load::RunError>>,
}

/// What one kind of request has shown.
pub(crate) struct Shown {
    pub(crate) name: String,
    /// Whether each answer with a redirect is a click.
    pub(crate) clicks: bool,
    pub(crate) report: Report,
}

/// What a trial's load is made of.
pub(crate) struct Wanted<'a> {
    pub(crate) load: &'a LoadSpec,
    pub(crate) gateway: &'a str,
    pub(crate) links: &'a [Link],
    pub(crate) seconds: f64,
    pub(crate) seed: u64,
}

impl Wanted<'_> {
    /// Starts a generator for each kind of request.
    pub(crate) fn start(&self, ctx: &Ctx) -> Result<Vec<Running>> {
        let requests = &self.load.request;
        let all: f64 = requests.iter().map(|request| request.share).sum();
        let start = |(request, number): (&RequestSpec, u64)| {
            let seed = self.seed.wrapping_add(number);
            start(request, self.plan(request, request.share / all, seed)?, ctx)
        };
        requests.iter().zip(0..).map(start).collect()
    }

    fn plan(&self, request: &RequestSpec, share: f64, seed: u64) -> Result<Plan> {
        let mut plan = Plan::new(self.targets(&request.path)?);
        let bad = |error: &dyn std::fmt::Display| Error::Bad(format!("{}: {error}", request.name));
        plan.method = request.method.parse().map_err(|error| bad(&error))?;
        if let Some(body) = &request.body {
            let kind = HeaderValue::from_str(&request.content_type).map_err(|e| bad(&e))?;
            plan.headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
            plan.body = body.clone().into();
            // Far apart for every trial, so that no number comes twice.
            plan.numbered_from = Some((seed >> 20) << 20);
        }
        let load = self.load;
        plan.profile = self.profile(share);
        plan.duration = Some(Duration::from_secs_f64(self.seconds));
        plan.process = match load.arrivals {
            Process::Constant => load::Process::Constant,
            Process::Poisson => load::Process::Poisson,
        };
        if let Some(exponent) = load.zipf {
            plan.popularity = Popularity::Zipf { exponent };
        }
        // JSON keeps whole numbers up to 2^53 everywhere.
        plan.seed = seed >> 11;
        plan.connections = load.connections;
        if let Some(streams) = load.streams {
            plan.protocol = load::Protocol::Http2;
            plan.streams = streams;
        }
        plan.timeout = Duration::from_millis(load.timeout_ms);
        plan.deadline = load.deadline_ms.map(Duration::from_millis);
        Ok(plan)
    }

    fn profile(&self, share: f64) -> Profile {
        let load = self.load;
        let mut profile = match load.steps.as_slice() {
            [] => Profile::constant(load.rate * share),
            steps => {
                let each = Duration::from_secs_f64(self.seconds / steps.len() as f64);
                let rates: Vec<f64> = steps.iter().map(|rate| rate * share).collect();
                Profile::steps(&rates, each)
            }
        };
        for spike in &load.spike {
            profile = profile.with_spike(Spike {
                rate: spike.rate * share,
                at: Duration::from_secs_f64(spike.at_s),
                lasts: Duration::from_secs_f64(spike.lasts_s),
            });
        }
        profile
    }

    /// One target for each seeded link, when the path speaks of them.
    fn targets(&self, path: &str) -> Result<Vec<Target>> {
        let target = |path: &str| {
            let url = format!("{}{path}", self.gateway);
            Target::parse(&url).map_err(|error| Error::Bad(error.to_string()))
        };
        if !path.contains("{code}") && !path.contains("{id}") {
            return Ok(vec![target(path)?]);
        }
        let of =
            |link: &Link| target(&path.replace("{code}", &link.code).replace("{id}", &link.id));
        self.links.iter().map(of).collect()
    }
}

fn start(request: &RequestSpec, plan: Plan, ctx: &Ctx) -> Result<Running> {
    let clock = std::sync::Arc::clone(&ctx.clock);
    let run = Run::new(plan, clock).map_err(|e| Error::Bad(format!("{}: {e}", request.name)))?;
    let handle = run.handle();
    let (tell, report) = oneshot::channel();
    // A thread of its own, whose CPU time is the generator's.
    std::thread::Builder::new()
        .name(format!("load-{}", request.name))
        .spawn(move || {
            // Nobody waits for the report of a run that was given up.
            let _ = tell.send(run.to_end(std::future::pending()));
        })
        .map_err(|error| failed("a thread for the load", error))?;
    Ok(Running {
        name: request.name.clone(),
        handle,
        report,
    })
}

impl Running {
    /// Waits until it is over.
    pub(crate) async fn end(self) -> Result<(String, Report)> {
        let report = self.report.await;
        let report = report.map_err(|_| failed(&self.name, "its load broke off"))?;
        Ok((self.name, report.map_err(|error| failed("load", error))?))
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }
}
