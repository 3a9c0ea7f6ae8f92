//! The servers start, answer, are paused, killed and started again.

use std::time::Duration;

use testkit::{Nats, Postgres, Redis, eventually};
use tokio::net::TcpStream;

async fn accepts(url: &str) -> bool {
    let address = url
        .rsplit(['/', '@'])
        .find(|p| p.contains(':'))
        .expect("an address");
    TcpStream::connect(address).await.is_ok()
}

#[tokio::test]
async fn redis_comes_back_on_its_port() {
    let Some(mut redis) = Redis::start().await else {
        return;
    };
    assert!(accepts(&redis.url()).await);
    redis.kill();
    assert!(!accepts(&redis.url()).await);
    redis.restart().await;
    assert!(accepts(&redis.url()).await);
}

#[tokio::test]
async fn nats_comes_back_with_or_without_its_store() {
    let Some(mut nats) = Nats::start().await else {
        return;
    };
    nats.kill();
    assert!(!accepts(&nats.url()).await);
    nats.start_again().await;
    assert!(accepts(&nats.url()).await);
    nats.kill_and_wipe();
    nats.start_again().await;
    assert!(accepts(&nats.url()).await);
}

#[tokio::test]
async fn postgres_comes_back_with_its_data() {
    let Some(mut postgres) = Postgres::start(false).await else {
        return;
    };
    assert!(accepts(&postgres.url()).await);
    postgres.kill();
    eventually("the port is closed", Duration::from_secs(5), || async {
        !accepts(&postgres.url()).await
    })
    .await;
    postgres.start_again().await;
    assert!(accepts(&postgres.url()).await);
}
