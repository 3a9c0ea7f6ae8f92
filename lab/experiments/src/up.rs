//! The systems of a run: which are needed, and each while it is up.

use reports::Trial;

use crate::design::Design;
use crate::error::{Error, Result};
use crate::run::Lab;
use crate::seed::{self, Link};
use crate::spec::{Spec, SystemSpec, VariantSpec};
use crate::system::System;
use crate::trial::{Number, Stage};

/// A system of the run, when it is up.
pub(crate) struct Up {
    pub(crate) spec: SystemSpec,
    pub(crate) system: System,
    links: Vec<Link>,
    design: Design,
}

impl Up {
    /// Starts the system that `want` describes, or joins the target, and seeds it.
    pub(crate) async fn start(
        lab: &Lab,
        spec: &Spec,
        want: &SystemSpec,
        number: usize,
    ) -> Result<Self> {
        let system = match &lab.target {
            Some(target) => System::join(target).await?,
            None => {
                let name = want.topology.name();
                (lab.say)(&format!("starting a system {name}"));
                let folder = lab.folder.join(format!("system-{number}"));
                System::start(&lab.program, name, want, folder, &lab.cancel).await?
            }
        };
        let prepared = lab.or_ended(async {
            let design = Design::found(&system).await?;
            Ok((design, seed::links(&system, spec.data.links).await?))
        });
        match prepared.await {
            Ok((design, links)) => Ok(Self {
                spec: want.clone(),
                system,
                links,
                design,
            }),
            Err(error) => {
                system.stop().await;
                Err(error)
            }
        }
    }

    /// Brings it to `variant`, whole and without the faults of an earlier trial.
    pub(crate) async fn apply(&mut self, variant: &VariantSpec) -> Result<()> {
        self.system.end_faults().await?;
        self.system.whole().await?;
        self.design.apply(&self.system, variant).await
    }

    /// Loads it for a while without looking.
    pub(crate) async fn warm_up(&self, lab: &Lab, spec: &Spec, seed: u64) -> Result<()> {
        self.stage(lab, spec).warm_up(seed).await
    }

    /// Loads it once and measures.
    pub(crate) async fn trial(&mut self, lab: &Lab, spec: &Spec, number: Number) -> Result<Trial> {
        for event in &spec.weather {
            for edge in event.get_ref().policies.keys() {
                self.design.changes(edge)?;
            }
        }
        self.stage(lab, spec).trial(number).await
    }

    fn stage<'a>(&'a self, lab: &'a Lab, spec: &'a Spec) -> Stage<'a> {
        Stage {
            ctx: &lab.ctx,
            spec,
            system: &self.system,
            links: &self.links,
        }
    }

    /// In what the target differs from the system that the experiment asks for.
    pub(crate) fn foreign(&self) -> Vec<String> {
        if self.system.is_own() {
            return Vec::new();
        }
        let mut notes = Vec::new();
        let (asked, is) = (
            self.spec.topology.name(),
            &self.system.status.about.topology,
        );
        if asked != is {
            notes.push(format!(
                "the experiment asks for a system {asked}, the target is {is}"
            ));
        }
        let keys = self.spec.config.keys().map(String::as_str);
        let mut keys: Vec<&str> = keys.collect();
        if !self.spec.replicas.is_empty() {
            keys.push("replicas");
        }
        if !keys.is_empty() {
            let keys = keys.join(", ");
            notes.push(format!(
                "the target keeps its own {keys}, whatever the experiment asks for"
            ));
        }
        notes
    }

    /// Ends it, or leaves it as it was found when it goes on running. Answers what could not be set
    /// back.
    pub(crate) async fn leave(mut self) -> Result<()> {
        let left = match self.system.is_own() {
            true => Ok(()),
            false => self.set_back().await,
        };
        self.system.stop().await;
        left.map_err(|error| Error::Failed(format!("the target is not as it was before: {error}")))
    }

    async fn set_back(&mut self) -> Result<()> {
        let ended = self.system.end_faults().await;
        self.design.set_back(&self.system).await.and(ended)
    }
}

/// The system that `variant` runs on.
pub(crate) fn system_of(spec: &Spec, variant: &VariantSpec) -> SystemSpec {
    let mut system = spec.system.clone();
    if let Some(topology) = variant.topology {
        system.topology = topology;
    }
    if let Some(replicas) = &variant.replicas {
        system.replicas.clone_from(replicas);
    }
    if let Some(backends) = variant.backends {
        system.backends = backends;
    }
    system.config.extend(variant.config.clone());
    system
}

/// Every system that is needed, in the order of the variants.
pub(crate) fn systems(spec: &Spec) -> Vec<SystemSpec> {
    let mut all: Vec<SystemSpec> = Vec::new();
    for variant in spec.variants() {
        let system = system_of(spec, variant);
        if !all.contains(&system) {
            all.push(system);
        }
    }
    all
}
