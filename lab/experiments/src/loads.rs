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
    /// The API key to show.
    pub(crate) key: Option<&'a str>,
    pub(crate) links: &'a [Link],
    pub(crate) seconds: f64,
    pub(crate) seed: u64,
    /// Tells apart loads of the same seed: their contents are numbered differently.
    pub(crate) number: u64,
}

impl Wanted<'_> {
    /// Starts a generator for each kind of request.
    pub(crate) fn start(&self, ctx: &Ctx) -> Result<Vec<Running>> {
        let requests = &self.load.request;
        let all: f64 = requests.iter().map(|request| request.share).sum();
        let start = |(request, number): (&RequestSpec, u64)| {
            start(
                request,
                self.plan(request, request.share / all, number)?,
                ctx,
            )
        };
        requests.iter().zip(0..).map(start).collect()
    }

    fn plan(&self, request: &RequestSpec, share: f64, kind: u64) -> Result<Plan> {
        let mut plan = Plan::new(self.targets(&request.path)?);
        let bad = |error: &dyn std::fmt::Display| Error::Bad(format!("{}: {error}", request.name));
        plan.method = request.method.parse().map_err(|error| bad(&error))?;
        if let Some(body) = &request.body {
            let media = HeaderValue::from_str(&request.content_type).map_err(|e| bad(&e))?;
            plan.headers = HeaderMap::from_iter([(header::CONTENT_TYPE, media)]);
            plan.body = body.clone().into();
            plan.numbered_from = Some(numbered_from(self.seed, self.number, kind));
        }
        if let Some(key) = self.key {
            let key = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|e| bad(&e))?;
            plan.headers.insert(header::AUTHORIZATION, key);
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
        plan.seed = (self.seed >> 11) + kind;
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

/// Far apart for every trial and every kind of request in it, so that no number comes twice.
const fn numbered_from(seed: u64, number: u64, kind: u64) -> u64 {
    /// Requests of a kind in a trial, kinds, and trials of a seed.
    const BITS: [u32; 3] = [24, 4, 4];
    let own = BITS[0] + BITS[1] + BITS[2];
    ((seed >> own) << own) + (number << (BITS[0] + BITS[1])) + (kind << BITS[0])
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

#[cfg(test)]
mod tests {
    use super::*;

    fn plans(number: u64) -> Vec<Plan> {
        let load = LoadSpec {
            request: ["a", "b"].map(of).into(),
            ..LoadSpec::default()
        };
        let wanted = Wanted {
            load: &load,
            gateway: "http://127.0.0.1:1",
            key: Some("k"),
            links: &[],
            seconds: 1.0,
            seed: 77 << 40,
            number,
        };
        let plan = |(request, kind)| wanted.plan(request, 0.5, kind).expect("a plan");
        load.request.iter().zip(0..).map(plan).collect()
    }

    fn of(name: &str) -> RequestSpec {
        RequestSpec {
            name: name.to_owned(),
            share: 1.0,
            method: "POST".to_owned(),
            path: "/x".to_owned(),
            body: Some("{n}".to_owned()),
            content_type: "text/plain".to_owned(),
        }
    }

    #[test]
    fn variants_of_a_block_have_the_same_arrivals_and_their_kinds_do_not() {
        let (first, second) = (plans(0), plans(1));
        assert_eq!(first[0].seed, second[0].seed);
        assert_ne!(first[0].seed, first[1].seed);
        let all: Vec<_> = first
            .iter()
            .chain(&second)
            .map(|p| p.numbered_from)
            .collect();
        let apart: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(apart.len(), all.len(), "no content comes twice: {all:?}");
        assert_eq!(first[0].headers[header::AUTHORIZATION], "Bearer k");
    }
}
