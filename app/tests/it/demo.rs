//! `--demo`: example links, made once however often it starts, and traffic that is counted.

use serde_json::Value;
use testkit::Client;

use crate::program::{Program, temporary};
use crate::sandbox::soon;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_look_shows_a_system_that_lives_together() {
    story(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_look_shows_a_system_that_lives_apart() {
    story(&["--apart", "--replicas=links=2"]).await;
}

async fn story(args: &[&str]) {
    let (_guard, dir) = temporary();
    let mut all = vec!["--demo".to_owned()];
    all.extend(args.iter().map(|arg| (*arg).to_owned()));
    let mut program = Program::up(&dir, &all, &[]);
    let seeded = codes(&program).await;
    assert!(seeded.len() > 10, "{seeded:?}");
    // The first one that is made, and the one that is visited most.
    assert!(seeded.iter().any(|code| code == "rust"), "{seeded:?}");
    let client = Client::new(program.url("gateway"));
    soon("visits are counted", || async {
        let stats = client
            .get("/api/links/rust/stats")
            .await
            .expect("answers")
            .json();
        stats["total_clicks"].as_u64() > Some(0)
    })
    .await;
    program.stop();
    let program = Program::up(&dir, &all, &[]);
    assert_eq!(
        codes(&program).await,
        seeded,
        "seeding again makes nothing twice"
    );
}

async fn codes(program: &Program) -> Vec<String> {
    let client = Client::new(program.url("gateway"));
    let list = client
        .get("/api/links?tag=demo&limit=200")
        .await
        .expect("answers")
        .json();
    let items = list["items"].as_array().expect("items");
    let mut codes: Vec<String> = items.iter().map(code).collect();
    codes.sort();
    codes
}

fn code(link: &Value) -> String {
    link["code"].as_str().expect("a code").to_owned()
}
