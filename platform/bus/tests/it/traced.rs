//! An event belongs to the trace of what caused it, and so does what its consumer tells.

use bus::{Bus, BusOptions, Consumer, Event, EventHandler, HandlerError, Route, Via};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use kernel::{Ctx, Tasks};
use storage::{Db, DbOptions, OutboxEvent, Position, Tx};
use telemetry::{Metrics, Sampling, SpanKind, Telemetry};
use testkit::{TempDir, eventually};

use crate::world::{LONG, options};

const ASKED: &str = "asked";
const ANSWERED: &str = "answered";

/// Answers each event with another one.
struct Answer;

impl EventHandler for Answer {
    fn handle<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        event: &'a Event,
    ) -> LocalBoxFuture<'a, Result<(), HandlerError>> {
        async move {
            tx.publish(&told(ANSWERED, &event.key)).await?;
            Ok(())
        }
        .boxed_local()
    }
}

fn told(topic: &str, key: &str) -> OutboxEvent {
    OutboxEvent {
        topic: topic.to_owned(),
        key: key.to_owned(),
        kind: topic.to_owned(),
        payload: b"{}".to_vec(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_on_in_the_consumer_and_in_what_it_publishes() {
    let (folder, ctx, tasks) = (TempDir::new().unwrap(), Ctx::system(), Tasks::new());
    let url = format!("sqlite://{}", folder.path().join("bus.db").display());
    let db = Db::open(&url, DbOptions::new("bus")).await.expect("opens");
    db.migrate(&[]).await.expect("the tables of the platform");
    let telemetry = Telemetry::new(Sampling::all(), &ctx);
    let options = BusOptions {
        traces: Some(telemetry.traces.clone()),
        ..options()
    };
    let bus = Bus::new(&ctx, Metrics::new(), tasks.clone(), options);
    let answers = Consumer::group("bus.answer", &[ASKED], Answer);
    bus.host(&db, &[answers]).await.expect("hosted");
    let here = Route {
        consumer: "bus.answer".to_owned(),
        topics: vec![ASKED.to_owned()],
        via: Via::Here,
    };
    bus.relay(&db, vec![here]).expect("a fine route");

    let request = telemetry.traces.root();
    let ask = async move |tx: &mut Tx<'_>| {
        tx.caused_by(request);
        tx.publish(&told(ASKED, "k")).await
    };
    db.write(ask).await.expect("committed");
    eventually("it is answered", LONG, || async {
        let rows = db.read_outbox(Position::START, 10).await.expect("read");
        rows.len() == 2
    })
    .await;
    tasks.shutdown().await;

    let spans = telemetry.traces.trace(request.trace_id);
    let [span] = &spans[..] else {
        panic!("one span of the consumer: {spans:?}");
    };
    assert_eq!(
        (&*span.name, span.kind),
        ("bus.answer asked", SpanKind::Consumer)
    );
    assert_eq!(span.parent, Some(request.span_id));
    let rows = db.read_outbox(Position::START, 10).await.expect("read");
    let traces: Vec<_> = rows.into_iter().filter_map(|row| row.trace).collect();
    assert_eq!(traces[0], request.header_value());
    let id = format!("{:016x}", span.span_id);
    assert!(
        traces[1].contains(&id),
        "what it told belongs to its span: {traces:?}"
    );
}
