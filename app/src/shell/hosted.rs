//! A service in this process: its parts, and its knobs as they are set, kept and followed.

use std::sync::Arc;

use bus::Consumer;
use futures_util::future::BoxFuture;
use kernel::{KnobInfo, Knobs, Tasks};
use mesh::Dispatch;
use parking_lot::Mutex;
use storage::Db;
use telemetry::{EventKind, Timeline};
use web::{Handler, RouteSpec};

/// A service in this process.
pub(crate) struct Hosted {
    pub(crate) name: &'static str,
    pub(crate) routes: Vec<RouteSpec>,
    pub(crate) handler: Arc<dyn Handler>,
    /// The receiving end of its contract.
    pub(crate) dispatch: Option<Arc<dyn Dispatch>>,
    pub(crate) knobs: Knobs,
    /// Held while a knob is set and kept, so that following the store cannot turn it back.
    pub(crate) turning: tokio::sync::Mutex<()>,
    pub(crate) db: Option<Db>,
    /// How it reacts to events.
    pub(crate) consumers: Vec<Consumer>,
    /// Its background loops, until they are started.
    pub(crate) jobs: Mutex<Vec<Job>>,
}

/// A background loop.
pub(crate) struct Job {
    /// Its name in logs.
    pub(crate) name: &'static str,
    /// Runs until the tasks are asked to end.
    pub(crate) run: Box<dyn FnOnce(Tasks) -> BoxFuture<'static, ()> + Send>,
}

impl Hosted {
    /// Something that answers requests and keeps nothing.
    pub(crate) fn page(
        name: &'static str,
        routes: Vec<RouteSpec>,
        handler: Arc<dyn Handler>,
    ) -> Self {
        Self {
            name,
            routes,
            handler,
            dispatch: None,
            knobs: Knobs::none(),
            turning: tokio::sync::Mutex::default(),
            db: None,
            consumers: Vec::new(),
            jobs: Mutex::default(),
        }
    }

    /// Sets a knob here and keeps it, so that every replica follows and a restart remembers.
    pub(crate) async fn set_knob(&self, name: &str, value: &str) -> Result<KnobInfo, KnobFailure> {
        let _turning = self.turning.lock().await;
        let before = self.knobs.set(name, value)?;
        if let Some(db) = &self.db {
            let (name, value) = (name.to_owned(), value.to_owned());
            let kept: storage::Result<i64> = db
                .write(async move |tx| tx.set_knob(&name, &value).await)
                .await;
            if let Err(error) = kept {
                // What is not kept must not hold either: the replicas would disagree.
                self.knobs.set(before.name, before.value)?;
                return Err(KnobFailure::Store(error));
            }
        }
        Ok(before)
    }

    /// Puts a knob's change on the time axis.
    pub(crate) fn note_knob(&self, timeline: &Timeline, before: &KnobInfo, value: &str) {
        if before.value == value {
            return;
        }
        let service = self.name;
        let text = format!("{service}.{}: {} -> {value}", before.name, before.value);
        tracing::info!(service, knob = before.name, value, "knob turned");
        let attributes = [
            ("service", service),
            ("knob", before.name),
            ("value", value),
        ];
        timeline.record(EventKind::Knob, text, &attributes);
    }

    /// Takes over what any replica has set; answers what changed.
    pub(crate) async fn follow_knobs(&self) -> storage::Result<Vec<KnobInfo>> {
        let Some(db) = &self.db else {
            return Ok(Vec::new());
        };
        let _turning = self.turning.lock().await;
        let rows: Vec<storage::KnobRow> = db.read(async |tx| tx.knobs().await).await?;
        let now = self.knobs.list();
        let mut changed = Vec::new();
        for row in rows {
            let differs = now
                .iter()
                .any(|k| k.name == row.name && k.value != row.value);
            // A knob or a setting that a newer version knows is none of ours.
            if differs && let Ok(before) = self.knobs.set(&row.name, &row.value) {
                changed.push(before);
            }
        }
        Ok(changed)
    }
}

/// A knob could not be set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KnobFailure {
    #[error(transparent)]
    Knob(#[from] kernel::KnobError),
    #[error("the setting could not be kept, and is as before: {0}")]
    Store(storage::Error),
}

impl kernel::Coded for KnobFailure {
    fn code(&self) -> kernel::Code {
        match self {
            Self::Knob(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}
