//! Clicks are counted to the one, wherever they land, and limits hold.

use http::Method;
use serde_json::json;

use crate::sandbox::soon;
use crate::{BROWSER, Sandbox, story};

story!(every_click_of_a_person_is_counted_once);
story!(a_limit_of_clicks_is_kept_exactly);

async fn every_click_of_a_person_is_counted_once(sandbox: Sandbox) {
    let code = sandbox.code_for("https://example.com/counted").await;
    let visits = (0..40).map(|_| sandbox.visit(&code));
    for visit in futures_util::future::join_all(visits).await {
        assert_eq!(visit.status, 302);
    }
    let path = format!("/{code}");
    let bot = [(
        "user-agent",
        "Googlebot/2.1 (+http://www.google.com/bot.html)",
    )];
    sandbox
        .client
        .send(Method::GET, &path, &bot, "")
        .await
        .expect("answers");
    let person = [("user-agent", BROWSER)];
    sandbox
        .client
        .send(Method::HEAD, &path, &person, "")
        .await
        .expect("answers");
    soon("all clicks are counted", || async {
        sandbox.clicks(&code).await == 40
    })
    .await;
    let sandbox = sandbox.restart().await;
    assert_eq!(sandbox.clicks(&code).await, 40, "after a restart");
}

async fn a_limit_of_clicks_is_kept_exactly(sandbox: Sandbox) {
    let link = json!({ "url": "https://example.com/seat", "code": "seats", "max_clicks": 10 });
    sandbox.create(&link).await;
    let visits = (0..60).map(|_| sandbox.visit("seats"));
    let all = futures_util::future::join_all(visits).await;
    let of = |status: u16| all.iter().filter(|reply| reply.status == status).count();
    assert_eq!((of(302), of(410)), (10, 50));
}
