//! One trial: load, weather and probes at once, with what the system counted before and after.

use std::time::Duration;

use kernel::Ctx;
use reports::{Mark, Trial};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::client::patiently;
use crate::error::{Error, Result};
use crate::events;
use crate::loads::{Shown, Wanted};
use crate::probe::{self, Clicks};
use crate::seed::Link;
use crate::snapshot::{Selector, Snapshot};
use crate::spec::{ProbeKind, Spec, WeatherSpec, unknown};
use crate::system::System;
use crate::values::{self, Values};
use crate::weather;

/// How long a counter may take to be there.
const COUNTED_WITHIN: Duration = Duration::from_secs(5);

/// A system with a variant's design, ready to be loaded.
pub(crate) struct Stage<'a> {
    pub(crate) ctx: &'a Ctx,
    pub(crate) spec: &'a Spec,
    pub(crate) system: &'a System,
    pub(crate) links: &'a [Link],
}

/// Which trial it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number {
    pub(crate) variant: usize,
    pub(crate) block: u32,
    /// Trials of a block have the same: the same arrivals, the same keys, the same faults.
    pub(crate) seed: u64,
}

/// Loads that are stopped when nobody waits for their reports any more.
struct Stopped(Vec<load::Handle>);

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.iter().for_each(load::Handle::stop);
    }
}

impl Stage<'_> {
    /// Loads it for a while without looking.
    pub(crate) async fn warm_up(&self, seed: u64) -> Result<()> {
        let seconds = self.spec.trials.warm_up_seconds;
        if seconds > 0.0 {
            self.load(seconds, seed, 0, &[]).await?;
        }
        Ok(())
    }

    /// Loads it once and measures.
    pub(crate) async fn trial(&self, number: Number) -> Result<Trial> {
        let seconds = self.spec.trials.seconds;
        let clicks = match self.probes(ProbeKind::Clicks) {
            true => Some(Clicks::stored(self.system, self.links).await?),
            false => None,
        };
        let before = self.system.snapshot().await?;
        let started_at = self.ctx.now().0;
        let name = self.spec.variant[number.variant].get_ref().name.as_str();
        let meant = |event: &&WeatherSpec| {
            event.of.is_empty() || event.of.iter().any(|of| of.get_ref() == name)
        };
        let events = self.spec.weather.iter().map(|event| event.get_ref());
        let events: Vec<&WeatherSpec> = events.filter(meant).collect();
        let (shown, mut marks, mut values) = self
            .load(seconds, number.seed, number.variant as u64, &events)
            .await?;
        let after = self.counted(&before).await?;
        marks.extend(events::since(self.system, started_at).await);
        values::of_loads(&shown, &mut values);
        values::of_costs(&shown, &before, &after, &mut values);
        self.measure(&shown, (&before, &after), &mut values)?;
        let first = shown.first().map(|kind| &kind.report);
        let timeline = first.map(values::seconds).unwrap_or_default();
        if let Some(recovery) = self.spec.recovery {
            values.extend(values::of_recovery(recovery, &timeline, seconds));
        }
        if let Some(clicks) = clicks {
            clicks
                .compare(self.system, self.links, &shown, &mut values)
                .await?;
        }
        if self.probes(ProbeKind::Guess) {
            probe::guess(self.system, &mut values).await?;
        }
        Ok(Trial {
            variant: number.variant,
            block: number.block,
            started_at,
            elapsed_s: first.map_or(seconds, |report| report.elapsed_s),
            values,
            latency: first
                .map(|r| r.latency.distribution.clone())
                .unwrap_or_default(),
            seconds: timeline,
            marks,
            limited: values::limited(&shown),
        })
    }

    /// What has been counted by now. A process that does not answer at the moment is waited for if
    /// nobody else knows a counter.
    async fn counted(&self, before: &Snapshot) -> Result<Snapshot> {
        let counters = self.spec.measure.iter().flat_map(|m| &m.get_ref().counter);
        let counters: Vec<Selector> = counters.map(|text| Selector::new(text)).collect();
        let counted = patiently(async || {
            let now = self.system.snapshot().await?;
            let mut unknown = counters.iter();
            match unknown.find(|counter| !now.knows(counter) && !before.knows(counter)) {
                Some(counter) => Err(Error::Unready(counter.name().to_owned())),
                None => Ok(now),
            }
        });
        match tokio::time::timeout(COUNTED_WITHIN, counted).await {
            Ok(counted) => counted,
            // Whoever measures says which there are instead.
            Err(_) => self.system.snapshot().await,
        }
    }

    fn probes(&self, kind: ProbeKind) -> bool {
        self.spec.probe.iter().any(|probe| probe.kind == kind)
    }

    /// Load, weather and probes, until the load is over.
    async fn load(
        &self,
        seconds: f64,
        seed: u64,
        number: u64,
        events: &[&WeatherSpec],
    ) -> Result<(Vec<Shown>, Vec<Mark>, Values)> {
        let wanted = Wanted {
            load: &self.spec.load,
            gateway: &self.system.gateway,
            key: self.system.client.key(),
            links: self.links,
            seconds,
            seed,
            number,
        };
        let start = Instant::now();
        let running = wanted.start(self.ctx)?;
        let _stopped = Stopped(running.iter().map(|load| load.handle()).collect());
        let over = CancellationToken::new();
        let ending = async {
            let mut shown = Vec::new();
            for (load, request) in running.into_iter().zip(&self.spec.load.request) {
                let (name, report) = load.end().await?;
                shown.push(Shown {
                    name,
                    clicks: request.method == "GET" && request.path == "/{code}",
                    report,
                });
            }
            over.cancel();
            Ok::<_, Error>(shown)
        };
        let mut values = Values::new();
        let watching = async {
            match self.probes(ProbeKind::Staleness) {
                true => probe::staleness(self.system, over.cancelled(), &mut values).await,
                false => Ok(()),
            }
        };
        let passing = weather::pass(events, self.system, start, seed);
        let all = async { tokio::try_join!(ending, passing, watching) };
        let (shown, marks, ()) = all.await?;
        Ok((shown, marks, values))
    }

    fn measure(
        &self,
        shown: &[Shown],
        (before, after): (&Snapshot, &Snapshot),
        values: &mut Values,
    ) -> Result<()> {
        let answered: u64 = shown.iter().map(|kind| kind.report.answered).sum();
        let seconds = shown.first().map_or(0.0, |kind| kind.report.elapsed_s);
        for measure in &self.spec.measure {
            let measure = measure.get_ref();
            for text in &measure.counter {
                let selector = Selector::new(text);
                if !after.knows(&selector) && !before.knows(&selector) {
                    let detail = unknown("metric", selector.name(), &after.names());
                    return Err(Error::Bad(format!("{}: {detail}", measure.name)));
                }
            }
            let totals = (answered as f64, seconds);
            if let Some(value) = values::of_measure(measure, (before, after), totals) {
                values.insert(measure.name.clone(), value);
            }
        }
        Ok(())
    }
}
