//! How events travel between the processes of this system: pushed over the mesh, or through NATS.

use std::sync::Arc;

use anyhow::{Context, Result};
use bus::{MeshPush, Mode, Nats, NatsOptions, Via};
use http::{Method, StatusCode};
use kernel::Code;
use web::{Handler, ProblemReply};

use crate::shell::bodies::json;
use crate::shell::host::Host;
use crate::shell::hosted::Hosted;

/// The largest batch that a process takes in.
const BATCH_BYTES_MAX: usize = 64 << 20;

/// The ways that this process has.
pub(crate) struct Carriers {
    nats: Option<Nats>,
    push: Arc<MeshPush>,
}

impl Carriers {
    /// Opens what the configuration says.
    pub(crate) async fn open(host: &Host) -> Result<Self> {
        let wanted = &host.config.bus;
        let nats = match wanted.url.as_deref().filter(|url| url.starts_with("nats:")) {
            Some(url) => {
                let options = NatsOptions {
                    prefix: wanted.prefix.clone(),
                    ..Default::default()
                };
                Some(Nats::open(url, options).await.context("bus.url")?)
            }
            None => None,
        };
        let push = MeshPush::new(Arc::clone(&host.discovery) as _, Some(host.secret.expose()));
        Ok(Self {
            nats,
            push: Arc::new(push),
        })
    }

    /// The way to the consumers of `service`, which may be `here`.
    pub(crate) fn to(&self, service: &str, here: bool) -> Via {
        match &self.nats {
            Some(nats) => Via::Nats(Box::new(nats.clone())),
            None if here => Via::Here,
            None => Via::Push {
                service: service.to_owned(),
                post: Arc::clone(&self.push) as _,
            },
        }
    }

    /// Takes in what comes through NATS for the consumers of `services`.
    pub(crate) fn pull(&self, host: &Host, services: &[Hosted]) -> Result<()> {
        let Some(nats) = &self.nats else {
            return Ok(());
        };
        for consumer in services.iter().flat_map(|hosted| &hosted.consumers) {
            if matches!(consumer.mode, Mode::EveryReplica(_)) {
                continue;
            }
            let told_of = |service: &str| {
                consumer
                    .topics
                    .iter()
                    .any(|topic| topic.split('.').next() == Some(service))
            };
            let producers = host.services.iter();
            for producer in producers.filter(|service| told_of(service.name)) {
                host.bus
                    .pull(nats, &host.schema(producer.name), consumer.name)?;
            }
        }
        Ok(())
    }
}

/// Takes in what other processes push: `POST /bus/deliver?consumer=NAME`.
pub(crate) fn inlet(host: &Host) -> Arc<dyn Handler> {
    let bus = host.bus.clone();
    web::from_fn(move |request| {
        let bus = bus.clone();
        async move {
            let known = request.method() == Method::POST && request.uri().path() == "/bus/deliver";
            let query = request.uri().query().unwrap_or_default();
            let consumer = query
                .strip_prefix("consumer=")
                .filter(|_| known)
                .map(str::to_owned);
            let Some(consumer) = consumer else {
                let detail = "here is POST /bus/deliver?consumer=NAME";
                return ProblemReply::new(Code::NotFound, detail).into_web();
            };
            let batch = match web::read_body(request.into_body(), BATCH_BYTES_MAX).await {
                Ok(batch) => batch,
                Err(error) => return ProblemReply::from(error).into_web(),
            };
            match bus.receive(&consumer, &batch).await {
                Ok(()) => json(StatusCode::OK, &serde_json::json!({ "applied": true })),
                Err(error) => web::problem(&error).into_web(),
            }
        }
    })
}
