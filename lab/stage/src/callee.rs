//! The two callees: the same desk behind two contracts.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{ChoiceKnob, Ctx, Knobs};
use mesh::CallCx;
use telemetry::Metrics;

use crate::config::Capacity;
use crate::contract::{Back, Done, StageError, Steady, Work};
use crate::desk::{Admission, Desk, Worker, desk};
use crate::{BACK, Callee, Job, STEADY};

#[async_trait]
impl Back for Desk {
    async fn work(&self, cx: &CallCx, _work: Work) -> Result<Done, StageError> {
        Desk::work(self, cx.deadline).await
    }
}

#[async_trait]
impl Steady for Desk {
    async fn work(&self, cx: &CallCx, _work: Work) -> Result<Done, StageError> {
        Desk::work(self, cx.deadline).await
    }
}

/// The design choices of the callee with finite capacity.
pub(crate) fn knobs() -> (Knobs, ChoiceKnob<Admission>) {
    Knobs::none().declare(
        "admission",
        "an answer for everyone who came, however late, for work that somebody still wants",
    )
}

pub(crate) fn back(capacity: &Capacity, ctx: &Ctx, metrics: &Metrics) -> Callee<dyn Back> {
    let (knobs, admission) = knobs();
    let (desk, workers) = desk(BACK, capacity, Some(admission), (ctx, metrics));
    Callee {
        service: Arc::new(desk),
        knobs,
        jobs: jobs("stage_back.worker", workers),
    }
}

pub(crate) fn steady(capacity: &Capacity, ctx: &Ctx, metrics: &Metrics) -> Callee<dyn Steady> {
    let (desk, workers) = desk(STEADY, capacity, None, (ctx, metrics));
    Callee {
        service: Arc::new(desk),
        knobs: Knobs::none(),
        jobs: jobs("stage_steady.worker", workers),
    }
}

fn jobs(name: &'static str, workers: Vec<Worker>) -> Vec<Job> {
    let job = |worker: Worker| Job {
        name,
        run: Box::new(|tasks| Box::pin(worker.run(tasks))),
    };
    workers.into_iter().map(job).collect()
}
