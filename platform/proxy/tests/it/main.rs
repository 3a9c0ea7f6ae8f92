//! A server behind a proxy, seen by its clients.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use faults::{Effect, FaultSpec, Faults, Seam, Wait};
use kernel::Tasks;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const HOUR_MS: u64 = 3_600_000;
const LONG: Duration = Duration::from_secs(30);

struct World {
    faults: Faults,
    tasks: Tasks,
    port: u16,
}

impl World {
    /// A server that sends back what it hears, and ends when its client does.
    async fn new() -> Self {
        let (tasks, faults) = (Tasks::new(), Faults::default());
        faults.keep(&tasks);
        let echo = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let to = echo.local_addr().expect("an address").to_string();
        let spawner = tasks.clone();
        tasks.spawn(async move {
            while let Ok((mut stream, _)) = echo.accept().await {
                spawner.spawn(async move {
                    let (mut from, mut to) = stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        let front = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let port = front.local_addr().expect("an address").port();
        proxy::serve(front, to, &faults, &tasks);
        Self {
            faults,
            tasks,
            port,
        }
    }

    async fn client(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port))
            .await
            .expect("accepted")
    }

    fn inject(&self, effect: Effect, ttl_ms: u64) -> String {
        let spec = FaultSpec::new(Seam::Socket, effect, ttl_ms);
        self.faults.inject(spec).expect("a fault").id.to_string()
    }
}

async fn says(client: &mut TcpStream, text: &[u8]) -> std::io::Result<Vec<u8>> {
    client.write_all(text).await?;
    hears(client, text.len()).await
}

async fn hears(client: &mut TcpStream, bytes: usize) -> std::io::Result<Vec<u8>> {
    let mut heard = vec![0; bytes];
    let reading = tokio::time::timeout(LONG, client.read_exact(&mut heard));
    reading.await.expect("in time")?;
    Ok(heard)
}

/// Whether nothing comes for a while.
async fn is_silent(client: &mut TcpStream) -> bool {
    let mut byte = [0];
    let reading = tokio::time::timeout(Duration::from_millis(200), client.read(&mut byte));
    reading.await.is_err()
}

#[tokio::test]
async fn without_faults_everything_comes_through_and_both_ends_are_heard() {
    let world = World::new().await;
    let mut client = world.client().await;
    let much: Vec<u8> = (0..2_000_000_u32)
        .map(|n| n.to_le_bytes()[n as usize % 3])
        .collect();
    let (mut from, mut to) = client.split();
    let mut heard = Vec::new();
    let (sent, read) = tokio::join!(
        async {
            to.write_all(&much).await?;
            to.shutdown().await
        },
        from.read_to_end(&mut heard)
    );
    sent.expect("sent");
    read.expect("the end is passed on");
    assert!(heard == much, "whole and in order");
}

#[tokio::test]
async fn latency_holds_up_each_way_and_keeps_the_order() {
    let world = World::new().await;
    let mut client = world.client().await;
    let wait = Wait {
        ms: 60,
        jitter_ms: 50,
    };
    let id = world.inject(Effect::Latency(wait), HOUR_MS);
    let start = Instant::now();
    for n in 0..10_u8 {
        client.write_all(&[n]).await.expect("sent");
        tokio::task::yield_now().await;
    }
    assert_eq!(
        hears(&mut client, 10).await.expect("an echo"),
        (0..10).collect::<Vec<u8>>()
    );
    assert!(
        start.elapsed() >= Duration::from_millis(20),
        "10 ms each way at least"
    );
    world.faults.end(&id);
    says(&mut client, b"well").await.expect("an echo");
    let slow = Wait {
        ms: HOUR_MS,
        jitter_ms: 0,
    };
    let id = world.inject(Effect::Latency(slow), HOUR_MS);
    client.write_all(b"late").await.expect("sent");
    assert!(is_silent(&mut client).await);
    world.faults.end(&id);
    assert_eq!(hears(&mut client, 4).await.expect("let go"), b"late");
}

#[tokio::test]
async fn a_narrow_pipe_takes_its_time_until_its_lease_ends() {
    let world = World::new().await;
    let mut client = world.client().await;
    world.inject(
        Effect::Bandwidth {
            bytes_per_s: 10_000,
        },
        HOUR_MS,
    );
    let start = Instant::now();
    says(&mut client, &[7; 5_000]).await.expect("an echo");
    assert!(
        start.elapsed() >= Duration::from_millis(400),
        "half a second: {:?}",
        start.elapsed()
    );
    world.faults.clear();
    world.inject(Effect::Bandwidth { bytes_per_s: 1 }, 300);
    // At one byte a second this would take days.
    says(&mut client, &[7; 200_000]).await.expect("wide again");
}

#[tokio::test]
async fn a_reset_breaks_what_is_open_and_what_comes() {
    let world = World::new().await;
    let mut open = world.client().await;
    says(&mut open, b"well").await.expect("an echo");
    let id = world.inject(Effect::Reset, HOUR_MS);
    let error = hears(&mut open, 1).await.expect_err("broken");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let mut new = world.client().await;
    let error = says(&mut new, b"?").await.expect_err("broken");
    let kinds = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    assert!(kinds.contains(&error.kind()), "{error}");
    world.faults.end(&id);
    says(&mut world.client().await, b"well")
        .await
        .expect("an echo");
}

#[tokio::test]
async fn a_black_hole_says_nothing_and_loses_nothing() {
    let world = World::new().await;
    let mut open = world.client().await;
    says(&mut open, b"well").await.expect("an echo");
    world.inject(Effect::BlackHole, 4_000);
    let mut new = world.client().await;
    for client in [&mut open, &mut new] {
        client.write_all(b"hello").await.expect("accepted");
        assert!(is_silent(client).await);
    }
    // As after a partition, what was sent arrives when the lease has ended.
    for client in [&mut open, &mut new] {
        assert_eq!(hears(client, 5).await.expect("an echo"), b"hello");
    }
}

#[tokio::test]
async fn half_open_hears_the_server_only_and_ends_with_a_reset() {
    let world = World::new().await;
    let mut client = world.client().await;
    says(&mut client, b"well").await.expect("an echo");
    let id = world.inject(Effect::HalfOpen, HOUR_MS);
    client.write_all(b"lost").await.expect("taken");
    client.shutdown().await.expect("taken");
    assert!(
        is_silent(&mut client).await,
        "the server hears neither the bytes nor the end"
    );
    world.faults.end(&id);
    let error = hears(&mut client, 1).await.expect_err("there is no way on");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    says(&mut world.client().await, b"well")
        .await
        .expect("an echo");
}

#[tokio::test]
async fn the_same_seed_breaks_the_same_connections_and_a_cap_holds() {
    let broken = async |spec: FaultSpec| {
        let world = World::new().await;
        world.faults.inject(spec).expect("a fault");
        let mut broken = Vec::new();
        for _ in 0..20 {
            broken.push(says(&mut world.client().await, b"?").await.is_err());
        }
        broken
    };
    let reset = FaultSpec::new(Seam::Socket, Effect::Reset, HOUR_MS);
    let half = reset.clone().share(0.5).seeded(3);
    let first = broken(half.clone()).await;
    assert_eq!(first, broken(half).await);
    assert!(first.contains(&true) && first.contains(&false), "{first:?}");
    let capped = broken(reset.at_most(2)).await;
    assert_eq!(capped.iter().filter(|broken| **broken).count(), 2);
}

#[tokio::test]
async fn the_last_connection_that_a_cap_allows_stays_struck_until_the_lease_ends() {
    let world = World::new().await;
    let hole = FaultSpec::new(Seam::Socket, Effect::BlackHole, HOUR_MS).at_most(1);
    world.faults.inject(hole).expect("a fault");
    let mut struck = world.client().await;
    struck.write_all(b"hello").await.expect("accepted");
    assert!(is_silent(&mut struck).await);
    says(&mut world.client().await, b"well")
        .await
        .expect("spared");
    assert!(is_silent(&mut struck).await);
    world.faults.clear();
    assert_eq!(hears(&mut struck, 5).await.expect("an echo"), b"hello");
}

#[tokio::test]
async fn nobody_behind_it_is_a_reset_and_its_end_breaks_connections() {
    let world = World::new().await;
    let mut open = world.client().await;
    says(&mut open, b"well").await.expect("an echo");
    let nobody = "127.0.0.1:1".to_owned();
    let front = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let port = front.local_addr().expect("an address").port();
    proxy::serve(front, nobody, &world.faults, &world.tasks);
    let mut client = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("accepted");
    hears(&mut client, 1).await.expect_err("nobody");
    world.tasks.token().cancel();
    hears(&mut open, 1).await.expect_err("over");
}
