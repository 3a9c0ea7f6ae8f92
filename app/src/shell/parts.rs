//! Runs the parts of the services in this process: events, background loops, knobs that replicas
//! share.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bus::{Consumer, Mode, Route};

use crate::shell::carriers::Carriers;
use crate::shell::host::Host;
use crate::shell::hosted::{Hosted, Job};

/// How often a process looks whether another replica has turned a knob.
const FOLLOW_EVERY: Duration = Duration::from_millis(400);

/// Runs what `services` have registered, until the host's tasks end.
pub(crate) async fn run(host: &Arc<Host>, services: &Arc<[Hosted]>) -> Result<()> {
    for hosted in services.iter() {
        let changed = hosted.follow_knobs().await;
        changed.with_context(|| format!("cannot read the knobs of {}", hosted.name))?;
        hears_itself(hosted.name, &hosted.consumers)?;
        if let Some(db) = &hosted.db {
            host.bus.host(db, &hosted.consumers).await?;
        }
    }
    events(host, services).await?;
    for hosted in services.iter() {
        let jobs: Vec<Job> = std::mem::take(&mut *hosted.jobs.lock());
        for Job { name, run } in jobs {
            let work = run(host.tasks.clone());
            let tasks = host.tasks.clone();
            host.tasks.spawn(async move {
                work.await;
                if !tasks.is_stopping() {
                    tracing::error!(job = name, "a background loop has ended by itself");
                }
            });
        }
    }
    follow(host, services);
    Ok(())
}

/// A consumer in a group, wherever it is.
struct Known {
    service: &'static str,
    name: &'static str,
    topics: &'static [&'static str],
}

/// What every replica hears it reads in the outbox of its own service.
fn hears_itself(service: &str, consumers: &[Consumer]) -> Result<()> {
    for consumer in consumers {
        let foreign = consumer.topics.iter().find(|topic| !is_of(service, topic));
        if let (Mode::EveryReplica(_), Some(topic)) = (&consumer.mode, foreign) {
            bail!(
                "{} of {service} wants every replica to hear '{topic}', which is not its own topic: \
                 let a group hear it, and publish what the replicas are to know",
                consumer.name
            );
        }
    }
    Ok(())
}

/// Whether events of `topic` are published by `service`.
fn is_of(service: &str, topic: &str) -> bool {
    topic.split('.').next() == Some(service)
}

/// Relays each service's events to whoever wants them, here or elsewhere. An outbox that nobody
/// wants anything from is looked after all the same: what is old in it is deleted.
async fn events(host: &Arc<Host>, services: &Arc<[Hosted]>) -> Result<()> {
    let known = known(host, services);
    let carriers = Carriers::open(host).await?;
    for producer in services.iter() {
        let Some(db) = &producer.db else { continue };
        let wants = |c: &&Known| c.topics.iter().any(|topic| is_of(producer.name, topic));
        let routes: Vec<Route> = known
            .iter()
            .filter(wants)
            .map(|c| Route {
                consumer: c.name.to_owned(),
                topics: c.topics.iter().map(|topic| (*topic).to_owned()).collect(),
                via: carriers.to(c.service, services.iter().any(|s| s.name == c.service)),
            })
            .collect();
        host.bus.relay(db, routes)?;
    }
    carriers.pull(host, services)
}

/// Every consumer in a group: of the services here, and of those elsewhere.
fn known(host: &Host, services: &Arc<[Hosted]>) -> Vec<Known> {
    let mut known: Vec<Known> = Vec::new();
    for hosted in services.iter() {
        let group = hosted
            .consumers
            .iter()
            .filter(|c| matches!(c.mode, Mode::Group(_)));
        known.extend(group.map(|c| Known {
            service: hosted.name,
            name: c.name,
            topics: c.topics,
        }));
    }
    let is_elsewhere = |name: &str| services.iter().all(|here| here.name != name);
    let elsewhere = host.services.iter().filter(|s| is_elsewhere(s.name));
    for service in elsewhere {
        let elsewhere = service.consumers.iter();
        known.extend(elsewhere.map(|&(name, topics)| Known {
            service: service.name,
            name,
            topics,
        }));
    }
    known
}

/// Takes over what other replicas have set, within half a second.
fn follow(host: &Arc<Host>, services: &Arc<[Hosted]>) {
    let (services, tasks) = (Arc::clone(services), host.tasks.clone());
    let timeline = host.telemetry.timeline.clone();
    host.tasks.spawn(async move {
        loop {
            tokio::select! {
                () = tasks.stopping() => return,
                () = tokio::time::sleep(FOLLOW_EVERY) => {}
            }
            for hosted in services
                .iter()
                .filter(|hosted| !hosted.knobs.list().is_empty())
            {
                match hosted.follow_knobs().await {
                    Ok(changed) => changed.iter().for_each(|before| {
                        let now = hosted
                            .knobs
                            .list()
                            .into_iter()
                            .find(|k| k.name == before.name);
                        let now = now.map_or("", |knob| knob.value);
                        hosted.note_knob(&timeline, before, now);
                    }),
                    Err(error) => {
                        tracing::warn!(service = hosted.name, %error, "cannot read its knobs");
                    }
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::{Consumer, hears_itself};

    #[test]
    fn replicas_that_are_to_hear_another_service_are_refused() {
        let hears = |topics| {
            let consumer = Consumer::every_replica("links.routes", topics, |_| {});
            hears_itself("links", &[consumer])
        };
        hears(&["links", "links.clicks"]).expect("they are its own");
        let refused = hears(&["links", "orders.paid"]).expect_err("it is foreign");
        assert!(refused.to_string().contains("'orders.paid'"), "{refused}");
    }
}
