//! An edit is seen by every replica.

use http::Method;
use serde_json::json;

use crate::sandbox::soon;
use crate::{Sandbox, story};

story!(an_edit_is_seen_everywhere_and_nobody_falls_back);

/// So many visits in a row reach every one of three replicas.
const ROUNDS: usize = 30;

async fn an_edit_is_seen_everywhere_and_nobody_falls_back(sandbox: Sandbox) {
    let code = sandbox.code_for("https://example.com/v0").await;
    for version in 1..=3 {
        // Every replica has the old target in its memory.
        for _ in 0..ROUNDS {
            assert_eq!(sandbox.visit(&code).await.status, 302);
        }
        let target = format!("https://example.com/v{version}");
        let edit = json!({ "url": target });
        let path = format!("/api/links/{code}");
        let patched = sandbox
            .client
            .json(Method::PATCH, &path, &edit)
            .await
            .expect("answers");
        assert_eq!(patched.status, 200, "{}", patched.text());
        soon("every replica leads to the new target", || async {
            for _ in 0..ROUNDS {
                if sandbox.visit(&code).await.header("location") != target {
                    return false;
                }
            }
            true
        })
        .await;
        for _ in 0..ROUNDS {
            assert_eq!(sandbox.visit(&code).await.header("location"), target);
        }
    }
}
