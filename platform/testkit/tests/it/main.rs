//! The servers start, stop, come back and go away; the waiting has a bound.

use std::time::Duration;

use testkit::{Nats, Postgres, Redis, eventually, find_program, skipped};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What the server at `url` answers to `ask`; nothing if it is silent for seconds.
async fn ask(url: &str, ask: &[u8]) -> Option<Vec<u8>> {
    let (_, address) = url.split_once("://")?;
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(ask).await.ok()?;
        let mut answer = vec![0; 64];
        let length = stream.read(&mut answer).await.ok().filter(|n| *n > 0)?;
        answer.truncate(length);
        Some(answer)
    };
    tokio::time::timeout(Duration::from_secs(4), exchange)
        .await
        .ok()
        .flatten()
}

#[tokio::test]
async fn redis_pauses_resumes_and_restarts_on_its_port() {
    let Some(mut redis) = Redis::start().await else {
        return;
    };
    let url = redis.url();
    assert_eq!(ask(&url, b"PING\r\n").await.unwrap(), b"+PONG\r\n");
    redis.pause();
    assert_eq!(ask(&url, b"PING\r\n").await, None);
    redis.resume();
    eventually("redis answers again", Duration::from_secs(30), || async {
        ask(&url, b"PING\r\n").await.is_some()
    })
    .await;
    redis.kill();
    assert_eq!(ask(&url, b"PING\r\n").await, None);
    redis.restart().await;
    assert_eq!(ask(&url, b"PING\r\n").await.unwrap(), b"+PONG\r\n");
    assert_eq!(redis.url(), url);
    drop(redis);
    assert_eq!(ask(&url, b"PING\r\n").await, None);
}

#[tokio::test]
async fn nats_has_jetstream_and_comes_back_wiped_or_not() {
    let Some(mut nats) = Nats::start().await else {
        return;
    };
    let url = nats.url();
    let info = ask(&url, b"").await.unwrap();
    assert!(info.starts_with(b"INFO {"));
    nats.kill();
    assert_eq!(ask(&url, b"").await, None);
    nats.start_again().await;
    nats.kill_and_wipe();
    nats.start_again().await;
    assert!(ask(&url, b"").await.is_some());
}

#[tokio::test]
async fn postgres_survives_a_kill_with_its_data() {
    let Some(mut postgres) = Postgres::start(false).await else {
        return;
    };
    let Some(psql) = find_program("psql") else {
        return skipped("psql", "install Debian's package postgresql-client");
    };
    let run = |sql: &str| {
        let out = std::process::Command::new(&psql)
            .args([&postgres.url(), "-Atc", sql])
            .output();
        String::from_utf8_lossy(&out.unwrap().stdout)
            .trim()
            .to_owned()
    };
    run("CREATE TABLE kept AS SELECT 7 AS n");
    assert_eq!(run("SELECT n FROM kept"), "7");
    postgres.kill();
    postgres.start_again().await;
    let out = std::process::Command::new(&psql)
        .args([&postgres.url(), "-Atc", "SELECT n FROM kept"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&out.stdout).trim(), "7");
}

#[tokio::test]
#[should_panic(expected = "in vain until pigs fly")]
async fn waiting_ends() {
    eventually("pigs fly", Duration::from_millis(30), || async { false }).await;
}
