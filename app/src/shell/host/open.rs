//! How a process begins: its data, its clock as faults let it see it, and who may ask it what.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result};
use bus::{Bus, BusOptions};
use faults::{Faults, FaultyClock};
use kernel::{Ctx, Tasks};
use mesh::MeshRegistry;
use telemetry::{OtlpConfig, Sampling, Telemetry};
use web::{ClusterSecret, Ingress, Keys};

use super::{Host, Phase};
use crate::settings::config::Config;
use crate::settings::data::DataDir;
use crate::settings::keys::{KeyFile, watched};
use crate::shell::discovery;
use crate::shell::names::Listed;
use crate::shell::role::Role;

impl Host {
    /// Opens what a process of `role` shares among its services. `services` are those of the system, in
    /// this process and in others.
    pub(crate) fn open(
        config: Config,
        ctx: &Ctx,
        role: Role,
        services: Vec<Listed>,
    ) -> Result<Self> {
        let data = DataDir::open(&config.data)?;
        // What is measured goes by the true clock, what is done by the one that faults set.
        let faults = Faults::new(ctx.clone());
        let seen = FaultyClock::ctx(ctx, &faults);
        let tasks = Tasks::new();
        let finding = Tasks::new();
        let id = role.id(&seen);
        let telemetry = telemetry(&config, &id, ctx, &tasks)?;
        let secret = match &config.cluster.secret {
            Some(secret) => secret.clone(),
            None => data.cluster_secret(&*seen.random)?,
        };
        let secret = ClusterSecret::new(&secret);
        let keys = watched(KeyFile::at(data.keys_file()), &tasks)?;
        let proxies = config.proxies()?;
        // Beyond loopback nobody is let in for being near.
        let inner_keys = if keys.is_open() && !config.internal.listen.ip().is_loopback() {
            Keys::of(&[])?
        } else {
            keys.clone()
        };
        let ingress =
            |keys: &Keys| Ingress::new(keys.clone(), &*seen.random).with_cluster(secret.clone());
        let bus = Bus::new(
            &seen,
            telemetry.metrics.clone(),
            tasks.clone(),
            BusOptions {
                faults: faults.clone(),
                traces: Some(telemetry.traces.clone()),
                ..BusOptions::default()
            },
        );
        let discovery = discovery::of(&config.discovery, &secret, &finding);
        Ok(Self {
            id,
            role,
            services,
            mesh: MeshRegistry::new(seen.clone(), telemetry.clone(), faults.clone()),
            faults,
            ingress: ingress(&keys).with_trusted_proxies(&proxies),
            internal_ingress: ingress(&inner_keys),
            started: seen.now(),
            address: OnceLock::new(),
            public: OnceLock::new(),
            contracts: parking_lot::Mutex::default(),
            direct: OnceLock::new(),
            front: OnceLock::new(),
            phase: Phase::default(),
            keys,
            bus,
            data,
            config,
            ctx: seen,
            telemetry,
            secret,
            tasks,
            leave: web::Leave::default(),
            finding,
            proxying: Tasks::new(),
            discovery,
        })
    }
}

fn telemetry(config: &Config, id: &str, ctx: &Ctx, tasks: &Tasks) -> Result<Telemetry> {
    let wanted = &config.telemetry;
    let sampling = Sampling {
        ratio: wanted.sample_percent / 100.0,
        floor_per_s: wanted.sample_min_per_s,
        slow: Duration::from_millis(wanted.slow_ms),
    };
    let telemetry = Telemetry::new(sampling, ctx);
    telemetry::process::register(&telemetry.metrics);
    if let Some(url) = &wanted.otlp_url {
        telemetry
            .traces
            .export(otlp(url, id), tasks)
            .context("telemetry.otlp_url")?;
    }
    Ok(telemetry)
}

fn otlp(url: &str, id: &str) -> OtlpConfig {
    OtlpConfig {
        endpoint: url.to_owned(),
        headers: BTreeMap::new(),
        instance: id.to_owned(),
        resource: BTreeMap::new(),
    }
}
