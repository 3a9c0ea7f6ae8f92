//! What a caller sees.

use std::time::Duration;

use contracts::__name__::{
    Count__Name__, Create__Item__, Get__Item__, List__Name__, __Item__, __Name__, __Name__Error,
};
use http::{Method, StatusCode};
use kernel::{Code, Coded, Id};
use testkit::eventually;

use crate::world::{Binding, World};

#[tokio::test]
async fn the_story_holds_directly_on_sqlite() {
    story(World::on_sqlite(Binding::Direct).await).await;
}

#[tokio::test]
async fn the_story_holds_strictly_on_sqlite() {
    story(World::on_sqlite(Binding::Strict).await).await;
}

#[tokio::test]
async fn the_story_holds_directly_on_postgres() {
    if let Some(world) = World::on_postgres(Binding::Direct).await {
        story(world).await;
    }
}

#[tokio::test]
async fn the_story_holds_strictly_on_postgres() {
    if let Some(world) = World::on_postgres(Binding::Strict).await {
        story(world).await;
    }
}

#[tokio::test]
async fn a_request_that_is_wrong_answers_a_problem() {
    let world = World::on_sqlite(Binding::Direct).await;
    let request = http::Request::builder().method(Method::GET).uri("/api/__name__/no/such/thing");
    let request = request.body(web::Body::Empty).expect("a request");
    let answer = world.handler.call(request).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let nobody = http::Request::builder().method(Method::GET).uri("/api/__name__");
    let nobody = nobody.body(web::Body::Empty).expect("a request");
    let answer = world.handler.call(nobody).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "nobody known may read");
    world.end().await;
}

async fn story(world: World) {
    let first = create(&world, "first", Some("key-1")).await.expect("a good request");
    let again = create(&world, "first", Some("key-1")).await.expect("the same request");
    assert_eq!(first, again, "one key takes effect once");
    let other = create(&world, "other", Some("key-1")).await.expect_err("the key is taken");
    assert_eq!(other.code(), Code::Invalid);
    let second = create(&world, "second", None).await.expect("a good request");

    let found = world.client.get(&world.cx(), Get__Item__ { id: second.id }).await;
    assert_eq!(found, Ok(second.clone()));
    let missing = Get__Item__ { id: Id::from_u128(1) };
    let missed = world.client.get(&world.cx(), missing).await.expect_err("there is none");
    assert_eq!(missed, __Name__Error::NotFound { id: Id::from_u128(1) });
    let wrong = create(&world, "  ", None).await.expect_err("a name is needed");
    assert_eq!(wrong.code(), Code::Invalid);

    lists(&world, &[first.name, second.name]).await;
    eventually("both are counted by their events", Duration::from_secs(30), async || {
        let count = world.client.count(&world.cx(), Count__Name__ {}).await;
        count.expect("the count").count == 2
    })
    .await;
    world.end().await;
}

/// The list in both orders, and a cursor that is bound to its own.
async fn lists(world: &World, names: &[String; 2]) {
    let [first, second] = names;
    assert_eq!(pages(world).await, [second.clone(), first.clone()]);
    let page = List__Name__ { cursor: None, limit: 1 };
    let page = world.client.list(&world.cx(), page).await.expect("a page");
    world.knobs.set("order", "oldest").expect("a setting of the knob");
    let turned = List__Name__ { cursor: page.next_cursor, limit: 1 };
    let refused = world.client.list(&world.cx(), turned).await;
    assert_eq!(refused.map_err(|error| error.code()), Err(Code::Invalid), "of another order");
    assert_eq!(pages(world).await, *names);
}

async fn create(world: &World, name: &str, key: Option<&str>) -> Result<__Item__, __Name__Error> {
    let mut cx = world.cx();
    if let Some(key) = key {
        cx = cx.with_idempotency_key(key);
    }
    world.client.create(&cx, Create__Item__ { name: name.to_owned() }).await
}

/// The names on all pages, one on each.
async fn pages(world: &World) -> Vec<String> {
    let mut names = Vec::new();
    let mut cursor = None;
    loop {
        let page = world.client.list(&world.cx(), List__Name__ { cursor, limit: 1 }).await;
        let page = page.expect("a page");
        names.extend(page.items.into_iter().map(|found| found.name));
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return names,
        }
    }
}
