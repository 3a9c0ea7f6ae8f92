//! Where a fault finds something to strike, and what is said where it does not.

use faults::{FaultSpec, Place, unplaced};
use serde_json::{Value, json};

fn spec(text: Value) -> FaultSpec {
    serde_json::from_value(text).expect("a fault")
}

fn places() -> Vec<Place> {
    let place = |replica: &str, service: &str, edges: Vec<(String, String)>| Place {
        replica: replica.to_owned(),
        services: vec![service.to_owned()],
        edges,
        entries: vec![service.to_owned()],
        stores: vec![service.to_owned()],
        ..Place::default()
    };
    vec![
        place("links-1", "links", vec![("links".into(), "users".into())]),
        place("links-2", "links", vec![("links".into(), "users".into())]),
        place("users-1", "users", Vec::new()),
    ]
}

fn taken_by(text: Value) -> Vec<String> {
    let spec = spec(text);
    let mut places = places();
    places.retain(|place| place.takes(&spec));
    places.into_iter().map(|place| place.replica).collect()
}

#[test]
fn a_fault_goes_where_it_strikes() {
    let drop = |more: Value| {
        let mut text = json!({"effect": "drop", "ttl_ms": 1});
        let fields = more.as_object().expect("fields").clone();
        text.as_object_mut().expect("an object").extend(fields);
        taken_by(text)
    };
    assert_eq!(drop(json!({"seam": "request"})).len(), 3);
    assert_eq!(
        drop(json!({"seam": "request", "service": "links"})),
        ["links-1", "links-2"]
    );
    assert_eq!(
        drop(json!({"seam": "request", "replica": "links-2"})),
        ["links-2"]
    );
    let callee = drop(json!({"seam": "call", "service": "users"}));
    assert_eq!(
        callee,
        ["links-1", "links-2"],
        "a call is struck at its caller"
    );
    assert_eq!(drop(json!({"seam": "call", "service": "links"})), [""; 0]);
    let kill = json!({"seam": "process", "effect": "kill", "service": "users"});
    assert_eq!(taken_by(kill), ["users-1"]);
}

#[test]
fn who_is_not_there_is_told_with_the_nearest() {
    let said = |text: Value| unplaced(&spec(text), &places()).to_string();
    let error = said(json!({"seam": "request", "effect": "drop", "service": "lniks", "ttl_ms": 1}));
    assert!(
        error.contains("service 'lniks'") && error.contains("did you mean links?"),
        "{error}"
    );
    let error =
        said(json!({"seam": "request", "effect": "drop", "replica": "links-9", "ttl_ms": 1}));
    assert!(
        error.contains("process 'links-9'") && error.contains("links-1"),
        "{error}"
    );
    let error = said(json!({"seam": "call", "effect": "drop", "caller": "userz", "ttl_ms": 1}));
    assert!(
        error.contains("caller 'userz'") && error.contains("there are links"),
        "{error}"
    );
    let text = json!({"seam": "call", "effect": "drop", "caller": "links", "replica": "users-1", "ttl_ms": 1});
    let error = said(text);
    assert!(error.contains("there are links -> users"), "{error}");
    let error = said(json!({"seam": "socket", "effect": "reset", "service": "links", "ttl_ms": 1}));
    assert!(error.contains("internal.proxied = true"), "{error}");
}
