//! One child: started, awaited, started again, stopped.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::{Ctx, Timestamp};
use mesh::discovery::Registry;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use parking_lot::Mutex;
use telemetry::{Counter, EventKind, Telemetry};
use tokio::process::Child as Process;
use tokio_util::sync::CancellationToken;

use super::backoff::{Backoff, Verdict};
use super::{Launcher, ProcessView, Spec, State, note};

/// One child, over all its lives.
pub(super) struct Child {
    pub(super) spec: Spec,
    ctx: Ctx,
    telemetry: Telemetry,
    restarts: Counter,
    now: Mutex<Now>,
    stop: CancellationToken,
}

struct Now {
    pid: Option<u32>,
    state: State,
    since: Timestamp,
    last_end: Option<String>,
    stop_within: Duration,
}

impl Child {
    pub(super) fn new(spec: Spec, ctx: &Ctx, telemetry: &Telemetry) -> Self {
        let restarts = telemetry.metrics.counter(
            "tradewind_process_restarts_total",
            "How often a process ended unasked and was started again",
            &[("process", &spec.id())],
        );
        let now = Now {
            pid: None,
            state: State::Waiting,
            since: ctx.now(),
            last_end: None,
            stop_within: Duration::from_secs(10),
        };
        Self {
            spec,
            ctx: ctx.clone(),
            telemetry: telemetry.clone(),
            restarts,
            now: Mutex::new(now),
            stop: CancellationToken::new(),
        }
    }

    pub(super) fn view(&self) -> ProcessView {
        let now = self.now.lock();
        ProcessView {
            id: self.spec.id(),
            service: self.spec.service,
            pid: now.pid,
            state: now.state,
            restarts: self.restarts.get(),
            since: now.since,
            last_end: now.last_end.clone(),
        }
    }

    /// Asks it to end; it is killed after `within`.
    pub(super) fn stop(&self, within: Duration) {
        self.now.lock().stop_within = within;
        self.stop.cancel();
    }

    /// Keeps it running until it is asked to end.
    pub(super) async fn keep(self: Arc<Self>, launcher: Arc<Launcher>, registry: Registry) {
        let id = self.spec.id();
        let mut backoff = Backoff::default();
        while !self.stop.is_cancelled() {
            let started = Instant::now();
            let end = match launcher.spawn(&self.spec) {
                Ok(process) => self.live(process).await,
                Err(error) => Some(format!("could not start: {error:#}")),
            };
            // Whoever calls it learns this moment, and not when its lease runs out.
            registry.with(|state| state.deregister(self.spec.service, &id));
            let Some(end) = end else { break };
            let verdict = backoff.ended(Instant::now(), started.elapsed());
            self.ended(&end, &verdict);
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = tokio::time::sleep(verdict.wait) => {}
            }
            self.restarts.inc();
            let text = format!("{id} is started again");
            note(
                &self.telemetry,
                EventKind::Restart,
                text,
                &id,
                self.spec.service,
            );
        }
        self.becomes(State::Stopped, None);
    }

    /// Waits for its end: how it ended, or nothing when it was asked to.
    async fn live(&self, mut process: Process) -> Option<String> {
        // Held until it has ended: the end of its standard input would tell it that we are gone.
        // (`wait` would close it.)
        let _leash = process.stdin.take();
        self.becomes(State::Running, process.id());
        tokio::select! {
            status = process.wait() => Some(how(status.ok())),
            () = self.stop.cancelled() => {
                self.end(&mut process).await;
                None
            }
        }
    }

    async fn end(&self, process: &mut Process) {
        let within = self.now.lock().stop_within;
        if let Some(pid) = process.id().and_then(|pid| i32::try_from(pid).ok()) {
            // It may have ended by itself in this moment.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        if tokio::time::timeout(within, process.wait()).await.is_err() {
            tracing::warn!(
                process = self.spec.id(),
                "did not end in time and is killed"
            );
            if let Err(error) = process.kill().await {
                tracing::error!(process = self.spec.id(), %error, "could not be killed");
            }
        }
    }

    fn ended(&self, end: &str, verdict: &Verdict) {
        let id = self.spec.id();
        let text = if verdict.looping {
            format!(
                "{id} ends again and again: {end}; next start in {:?}",
                verdict.wait
            )
        } else {
            format!("{id} {end}")
        };
        tracing::warn!(process = id, wait_ms = verdict.wait.as_millis(), "{text}");
        let attributes = [("process", id.as_str()), ("service", self.spec.service)];
        self.telemetry
            .timeline
            .record(EventKind::Stop, text, &attributes);
        self.becomes(
            if verdict.looping {
                State::Looping
            } else {
                State::Waiting
            },
            None,
        );
        self.now.lock().last_end = Some(end.to_owned());
    }

    fn becomes(&self, state: State, pid: Option<u32>) {
        let at = self.ctx.now();
        let mut now = self.now.lock();
        (now.state, now.pid, now.since) = (state, pid, at);
    }
}

fn how(status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    let Some(status) = status else {
        return "ended, nobody knows how".to_owned();
    };
    match (status.signal(), status.code()) {
        (Some(signal), _) => {
            let name = Signal::try_from(signal).map_or("a signal", Signal::as_str);
            format!("was killed by {name}")
        }
        (None, Some(code)) => format!("ended with exit code {code}"),
        (None, None) => "ended".to_owned(),
    }
}
