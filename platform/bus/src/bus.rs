//! A process's bus: which services it hosts, what it relays, what it takes in.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{Code, Coded, Ctx, Id, Tasks, Timestamp};
use parking_lot::RwLock;
use storage::{Db, Tx};
use telemetry::Metrics;
use tokio::sync::{Mutex, Notify};

use crate::carrier::{Carrier, Direct, Faulty, Nats, NatsLane, Post, PushLane, Way, pull};
use crate::inlet::Inlet;
use crate::metrics::{ConsumerMeters, LaneMeters};
use crate::options::BusOptions;
use crate::parked::{self, DeadLetter};
use crate::relay::{Lane, Relay};
use crate::tail::Tail;
use crate::{Consumer, Event, EventError, Mode, retry};

/// A process's bus. Cheap to clone; clones share their state.
#[derive(Clone)]
pub struct Bus(Arc<Inner>);

struct Inner {
    metrics: Metrics,
    tasks: Tasks,
    options: BusOptions,
    holder: String,
    inlets: RwLock<BTreeMap<&'static str, Arc<Inlet>>>,
}

/// A consumer that a relay keeps up to date, and the way to it.
#[derive(Clone)]
pub struct Route {
    /// The consumer's name.
    pub consumer: String,
    /// The topics that it wants.
    pub topics: Vec<String>,
    /// How events get there.
    pub via: Via,
}

/// A way to a consumer.
#[derive(Clone)]
pub enum Via {
    /// It is in this process.
    Here,
    /// Posted to a process of its service.
    Push {
        /// The service that the consumer belongs to.
        service: String,
        /// Who posts.
        post: Arc<dyn Post>,
    },
    /// Through NATS, from where the consumer's process pulls; see [`Bus::pull`].
    Nats(Box<Nats>),
}

/// The bus could not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BusError {
    /// No consumer of this process has that name.
    #[error("no consumer here is called '{0}'")]
    UnknownConsumer(String),
    /// There is no such dead letter.
    #[error("consumer '{consumer}' has no parked event {id} that this can be done to")]
    NoSuchEvent {
        /// The consumer.
        consumer: String,
        /// The event.
        id: Id,
    },
    /// An event is for a version of the consumer that this process is not.
    #[error(
        "consumer '{consumer}' of this process does not want topic '{topic}': one of the two sides is \
         of another version; it is sent again until they agree"
    )]
    UnknownTopic {
        /// The consumer.
        consumer: String,
        /// The topic.
        topic: String,
    },
    /// What came is no batch of events.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] storage::Error),
}

impl Coded for BusError {
    fn code(&self) -> Code {
        match self {
            Self::UnknownConsumer(_) | Self::NoSuchEvent { .. } => Code::NotFound,
            Self::UnknownTopic { .. } => Code::Unavailable,
            Self::Event(_) => Code::BadRequest,
            Self::Storage(error) => error.code(),
        }
    }
}

impl Bus {
    /// A bus that does nothing yet.
    #[must_use]
    pub fn new(ctx: &Ctx, metrics: Metrics, tasks: Tasks, options: BusOptions) -> Self {
        let holder = ctx.new_id().to_string();
        Self(Arc::new(Inner {
            metrics,
            tasks,
            options,
            holder,
            inlets: RwLock::default(),
        }))
    }

    /// This process runs the service whose database is `db`: its consumers can be reached here.
    ///
    /// Listeners of [`Mode::EveryReplica`] hear the service's own events from now on; for those of
    /// another service that runs here, see [`Bus::listen`].
    pub async fn host(&self, db: &Db, consumers: &[Consumer]) -> Result<(), BusError> {
        for consumer in consumers {
            match &consumer.mode {
                Mode::Group(handler) => {
                    let inlet = Arc::new(Inlet {
                        name: consumer.name,
                        topics: consumer.topics,
                        db: db.clone(),
                        handler: Arc::clone(handler),
                        retry: self.0.options.retry,
                        traces: self.0.options.traces.clone(),
                        meters: ConsumerMeters::new(consumer.name, &self.0.metrics),
                        parked: Notify::new(),
                    });
                    self.0
                        .inlets
                        .write()
                        .insert(consumer.name, Arc::clone(&inlet));
                    let (remember, tasks) = (self.0.options.remember, self.0.tasks.clone());
                    self.0.tasks.spawn(retry::run(inlet, remember, tasks));
                }
                Mode::EveryReplica(_) => self.listen(db, consumer).await?,
            }
        }
        Ok(())
    }

    /// Lets a listener hear the events in `db`'s outbox from now on, by reading it.
    pub async fn listen(&self, db: &Db, consumer: &Consumer) -> Result<(), BusError> {
        let Mode::EveryReplica(listener) = &consumer.mode else {
            return Ok(());
        };
        let tail = Tail {
            name: consumer.name,
            topics: consumer.topics,
            listener: Arc::clone(listener),
            producer: db.schema().to_owned(),
            db: db.clone(),
            poll: self.0.options.poll,
            replay: consumer.replay,
        };
        let at = tail.start().await?;
        self.0.tasks.spawn(tail.run(at, self.0.tasks.clone()));
        Ok(())
    }

    /// Relays `db`'s outbox along `routes`, whenever no other replica of its service does.
    pub fn relay(&self, db: &Db, routes: Vec<Route>) -> Result<(), BusError> {
        let lanes = routes.into_iter().map(|route| self.lane(db, route));
        let relay = Relay {
            db: db.clone(),
            holder: self.0.holder.clone(),
            options: self.0.options.clone(),
            tasks: self.0.tasks.clone(),
            lanes: lanes.collect::<Result<_, _>>()?,
            leads: self.0.metrics.gauge(
                "bus_relay_leads",
                "Whether this process relays the producer's outbox.",
                &[("producer", db.schema())],
            ),
        };
        self.0.tasks.spawn(relay.run());
        Ok(())
    }

    fn lane(&self, db: &Db, route: Route) -> Result<Arc<Lane>, BusError> {
        let producer: Arc<str> = Arc::from(db.schema());
        let consumer: Arc<str> = Arc::from(&*route.consumer);
        let carrier: Box<dyn Carrier> = match route.via {
            Via::Here => Box::new(Direct(self.inlet(&route.consumer)?)),
            Via::Push { service, post } => Box::new(PushLane {
                service: Arc::from(service),
                consumer: Arc::clone(&consumer),
                post,
            }),
            Via::Nats(nats) => Box::new(NatsLane::new(*nats, &producer, &consumer)),
        };
        let way = Way {
            faults: self.0.options.faults.clone(),
            service: db.faults().service().into(),
            consumer: Arc::clone(&consumer),
        };
        Ok(Arc::new(Lane {
            meters: LaneMeters::new(&producer, &consumer, &self.0.metrics),
            carrier: Mutex::new(Faulty::around(carrier, way)),
            producer,
            consumer,
            topics: route.topics,
            db: db.clone(),
            options: self.0.options.clone(),
        }))
    }

    /// Takes in what `producer`'s relay sends through NATS to a consumer of this process, whenever
    /// no other replica does.
    pub fn pull(&self, nats: &Nats, producer: &str, consumer: &str) -> Result<(), BusError> {
        let inlet = self.inlet(consumer)?;
        let leads = self.0.metrics.gauge(
            "bus_pull_leads",
            "Whether this process pulls the producer's events for the consumer.",
            &[("producer", producer), ("consumer", inlet.name)],
        );
        let puller = pull::Puller::new(pull::Wanted {
            nats: nats.clone(),
            producer: producer.to_owned(),
            inlet,
            holder: self.0.holder.clone(),
            options: self.0.options.clone(),
            tasks: self.0.tasks.clone(),
            leads,
        });
        self.0.tasks.spawn(puller.run());
        Ok(())
    }

    /// Takes in a batch that was posted to `POST /bus/deliver?consumer=..`; `Ok` after the commit.
    pub async fn receive(&self, consumer: &str, batch: &[u8]) -> Result<(), BusError> {
        let inlet = self.inlet(consumer)?;
        let events: Arc<[Event]> = Event::from_batch(batch)?.into();
        inlet.accept(&events).await
    }

    /// The consumers in groups that this process can be reached for.
    #[must_use]
    pub fn consumers(&self) -> Vec<&'static str> {
        self.0.inlets.read().keys().copied().collect()
    }

    /// Dead letters of a consumer, oldest first, after the one parked then with that id.
    pub async fn dead_letters(
        &self,
        consumer: &str,
        after: Option<(Timestamp, Id)>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, BusError> {
        let inlet = self.inlet(consumer)?;
        let list = async move |tx: &mut Tx<'_>| parked::dead(tx, inlet.name, after, limit).await;
        Ok(self
            .inlet(consumer)?
            .db
            .read::<_, storage::Error, _>(list)
            .await?)
    }

    /// Lets a dead letter be tried again, and what waits behind it after it.
    pub async fn redrive(&self, consumer: &str, id: Id) -> Result<(), BusError> {
        let inlet = self.inlet(consumer)?;
        let name = inlet.name;
        let redrive = async move |tx: &mut Tx<'_>| parked::redrive(tx, name, id).await;
        let found = inlet.db.write::<_, storage::Error, _>(redrive).await?;
        inlet.parked.notify_one();
        if found {
            Ok(())
        } else {
            Err(no_such_event(consumer, id))
        }
    }

    /// Lets every dead letter of a consumer be tried again; answers how many.
    pub async fn redrive_all(&self, consumer: &str) -> Result<u64, BusError> {
        let inlet = self.inlet(consumer)?;
        let name = inlet.name;
        let redrive = async move |tx: &mut Tx<'_>| parked::redrive_all(tx, name).await;
        let count = inlet.db.write::<_, storage::Error, _>(redrive).await?;
        inlet.parked.notify_one();
        Ok(count)
    }

    /// Drops a parked event for good; the next one with its key goes on.
    pub async fn discard(&self, consumer: &str, id: Id) -> Result<(), BusError> {
        let inlet = self.inlet(consumer)?;
        let name = inlet.name;
        let discard = async move |tx: &mut Tx<'_>| parked::discard(tx, name, id).await;
        let found = inlet.db.write::<_, storage::Error, _>(discard).await?;
        inlet.parked.notify_one();
        if found {
            Ok(())
        } else {
            Err(no_such_event(consumer, id))
        }
    }

    fn inlet(&self, consumer: &str) -> Result<Arc<Inlet>, BusError> {
        let found = self.0.inlets.read().get(consumer).cloned();
        found.ok_or_else(|| BusError::UnknownConsumer(consumer.to_owned()))
    }
}

fn no_such_event(consumer: &str, id: Id) -> BusError {
    BusError::NoSuchEvent {
        consumer: consumer.to_owned(),
        id,
    }
}
