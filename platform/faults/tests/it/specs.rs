//! A fault as it is written, and how a mistake is told.

use faults::{Effect, FaultSpec, Seam, Wait};
use kernel::Code;
use serde::Deserialize;
use serde_json::{Value, json};

fn read(value: Value) -> Result<FaultSpec, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[test]
fn a_fault_is_flat_and_survives_being_written() {
    let text = json!({
        "seam": "call", "effect": "latency", "caller": "gateway", "service": "links",
        "method": "resolve", "ms": 50, "jitter_ms": 10, "probability": 0.5, "seed": 7,
        "max_hits": 3, "ttl_ms": 10_000,
    });
    let spec = read(text.clone()).expect("a fault");
    let wait = Wait {
        ms: 50,
        jitter_ms: 10,
    };
    assert_eq!(spec.effect, Effect::Latency(wait));
    assert_eq!(spec.selector.caller.as_deref(), Some("gateway"));
    assert_eq!(serde_json::to_value(&spec).expect("plain"), text);
}

#[test]
fn every_effect_of_every_seam_can_be_written_and_none_elsewhere() {
    let details = |effect: &str| match effect {
        "latency" | "slow_commit" | "slow_read" => json!({"ms": 5}),
        "step" => json!({"ms": -60_000}),
        "bandwidth" => json!({"bytes_per_s": 1_000}),
        "error" => json!({"code": "internal"}),
        _ => json!({}),
    };
    let all: Vec<&str> = Seam::ALL
        .iter()
        .flat_map(|seam| seam.effects())
        .copied()
        .collect();
    for seam in Seam::ALL {
        for effect in &all {
            let mut text = details(effect);
            text["seam"] = json!(seam.name());
            text["effect"] = json!(effect);
            text["service"] = json!("links");
            text["ttl_ms"] = json!(1_000);
            let possible = seam.effects().contains(effect);
            let spec = read(text.clone());
            assert_eq!(spec.is_ok(), possible, "{text}: {spec:?}");
            if let Err(error) = spec {
                let last = seam.effects().last().expect("one at least");
                assert!(error.contains(last), "it lists what there is: {error}");
            }
        }
    }
}

#[test]
fn a_mistake_is_told_with_what_was_perhaps_meant() {
    tell(&names());
    tell(&numbers());
}

fn tell(told: &[(Value, &str)]) {
    for (text, part) in told {
        let error = read(text.clone()).expect_err("a mistake");
        assert!(error.contains(part), "{text}: {error}");
    }
}

fn names() -> Vec<(Value, &'static str)> {
    vec![
        (
            json!({"seam": "cal", "effect": "drop", "ttl_ms": 1}),
            "did you mean call?",
        ),
        (
            json!({"seam": "call", "effect": "dorp", "ttl_ms": 1}),
            "did you mean drop?",
        ),
        (
            json!({"seam": "call", "effect": "kill", "ttl_ms": 1}),
            "latency, error, drop",
        ),
        (
            json!({"seam": "call", "effect": "drop", "ttl_ms": 1, "metod": "x"}),
            "no field 'metod'; did you mean method?",
        ),
        (
            json!({"seam": "call", "effect": "latency", "ttl_ms": 1}),
            "'latency' needs ms",
        ),
        (
            json!({"seam": "call", "effect": "drop", "ms": 1, "ttl_ms": 1}),
            "'drop' takes no ms",
        ),
        (
            json!({"seam": "request", "effect": "drop", "caller": "x", "ttl_ms": 1}),
            "'caller' selects nothing at the seam 'request'",
        ),
        (
            json!({"seam": "request", "effect": "drop", "method": "x", "ttl_ms": 1}),
            "the beginning of a path",
        ),
    ]
}

fn numbers() -> Vec<(Value, &'static str)> {
    vec![
        (json!({"seam": "call", "effect": "drop"}), "needs ttl_ms"),
        (
            json!({"seam": "call", "effect": "drop", "ttl_ms": 0}),
            "ttl_ms is 0",
        ),
        (
            json!({"seam": "call", "effect": "drop", "ttl_ms": 3_600_001}),
            "it must be 1 to 3600000",
        ),
        (
            json!({"seam": "call", "effect": "drop", "ttl_ms": 1, "probability": 0}),
            "above 0 and at most 1",
        ),
        (
            json!({"seam": "call", "effect": "drop", "ttl_ms": 1, "probability": 1.5}),
            "probability is 1.5",
        ),
        (
            json!({"seam": "call", "effect": "drop", "ttl_ms": 1, "max_hits": 0}),
            "max_hits is 0",
        ),
        (
            json!({"seam": "process", "effect": "kill"}),
            "say which process",
        ),
        (
            json!({"seam": "clock", "effect": "step", "ms": 5, "probability": 0.5, "ttl_ms": 1}),
            "'probability' makes no sense",
        ),
        (
            json!({"seam": "clock", "effect": "step", "ms": 0, "ttl_ms": 1}),
            "and not 0",
        ),
        (
            json!({"seam": "socket", "effect": "bandwidth", "bytes_per_s": 0, "ttl_ms": 1}),
            "bytes_per_s is 0",
        ),
        (
            json!({"seam": "call", "effect": "latency", "ms": -1, "ttl_ms": 1}),
            "ms is -1",
        ),
    ]
}

#[test]
fn a_fault_stands_flat_in_a_larger_table_and_a_mistake_has_its_line() {
    #[derive(Debug, Deserialize)]
    struct Weather {
        at_s: u64,
        #[serde(flatten)]
        fault: FaultSpec,
    }
    let text = "at_s = 5\nseam = 'storage'\neffect = 'disk_full'\nservice = 'links'\nttl_ms = 1000";
    let weather: Weather = toml::from_str(text).expect("weather");
    assert_eq!(weather.at_s, 5);
    assert_eq!(weather.fault.effect, Effect::DiskFull);
    let text = "seam = 'call'\neffect = 'error'\nttl_m = 1000";
    let error = toml::from_str::<FaultSpec>(text)
        .expect_err("a slip")
        .to_string();
    assert!(
        error.contains("line 3") && error.contains("ttl_ms"),
        "{error}"
    );
}

#[test]
fn a_kill_needs_no_time_and_an_error_has_a_usual_code() {
    let kill = read(json!({"seam": "process", "effect": "kill", "replica": "links-1"}));
    assert_eq!(kill.expect("a kill").effect, Effect::Kill);
    let error = read(json!({"seam": "call", "effect": "error", "ttl_ms": 5})).expect("an error");
    let code = Code::Unavailable;
    assert_eq!(error.effect, Effect::Error { code });
    assert_eq!(error.to_string(), "error unavailable at call");
}
