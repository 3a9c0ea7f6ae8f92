//! How codes are made: a knob that is turned while the system runs.

use serde_json::json;

use super::{Api, path_of, text, unique};
use crate::Sandbox;
use crate::knob::everywhere;

pub(crate) async fn codes_are_made_as_the_knob_says(sandbox: &Sandbox) {
    let api = Api::at(sandbox.client.base());
    let url = format!("https://example.com/{}", unique());
    let code = async || {
        let link = api.create(json!({ "url": url })).await;
        let code = text(&link, "code").to_owned();
        assert_eq!(api.delete(&path_of(&link)).await.status, 200);
        code
    };
    let turn = async |scheme: &str| {
        assert_eq!(sandbox.turn("ids", scheme).await.status, 200);
        everywhere(sandbox, "ids", scheme).await;
    };
    turn("counter").await;
    let (one, two) = (code().await, code().await);
    assert_eq!((one.len(), two.len()), (3, 3), "the shortest there are");
    assert_ne!(one, two, "no number is used twice");
    turn("hash").await;
    let (one, two) = (code().await, code().await);
    assert_eq!(one, two, "the same target has the same code");
    turn("random").await;
    let (one, two) = (code().await, code().await);
    assert_eq!((one.len(), two.len()), (7, 7));
    assert_ne!(one, two);
}
