//! Layers override one another, and a mistake is named with its place.

use super::*;

fn of(text: &str) -> Layers {
    Layers {
        file: Some(("t.toml".into(), text.to_owned())),
        ..Layers::default()
    }
}

fn merged(layers: &Layers) -> Result<Config, Mistake> {
    layers.merge(|_| Names {
        replicated: vec!["links"],
        placed: vec!["gateway", "console", "links"],
    })
}

fn mistake(layers: &Layers) -> String {
    merged(layers).expect_err("a mistake").to_string()
}

fn env(layers: Layers, name: &str, value: &str) -> Layers {
    let vars = std::iter::once((name.into(), value.into()));
    let read = Layers::read(None, vars).expect("no file is read");
    Layers {
        environment: read.environment,
        ..layers
    }
}

#[test]
fn an_empty_file_is_a_valid_configuration() {
    let config = merged(&of("")).expect("valid");
    assert_eq!(config.listen.port(), super::super::PORT);
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let file = of("workers = 1\n[log]\nlevel = 'info'\n[store]\nurl = 'sqlite'\n");
    let both = env(file, "TRADEWIND__WORKERS", "2").with_flag("--workers", "workers", 3);
    let config = merged(&both).expect("valid");
    assert_eq!((config.workers, config.log.level.as_str()), (3, "info"));
    let stronger = env(of("workers = 1"), "TRADEWIND__WORKERS", "2");
    let config = merged(&stronger).expect("valid");
    assert_eq!(config.workers, 2);
}

#[test]
fn text_that_looks_like_a_number_stays_text_where_text_is_wanted() {
    let layers = env(of(""), "TRADEWIND__LOG__LEVEL", "12");
    let refused = merged(&layers)
        .expect_err("no level is called so")
        .to_string();
    assert!(
        refused.contains("log level '12' cannot be read"),
        "{refused}"
    );
    let layers = env(
        of(""),
        "TRADEWIND__DISCOVERY__ADDRESSES__LINKS",
        "['127.0.0.1:1']",
    );
    assert_eq!(
        merged(&layers).expect("valid").discovery.addresses["links"].len(),
        1
    );
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_its_neighbour() {
    assert_eq!(
        mistake(&of("listen = '127.0.0.1:1'\n\n[store]\n  ulr = 'sqlite'\n")),
        "t.toml:4:3: store.ulr: there is no such key; did you mean store.url?"
    );
    assert_eq!(
        mistake(&of("lisen = '127.0.0.1:1'")),
        "t.toml:1:1: lisen: there is no such key; did you mean listen?"
    );
}

#[test]
fn the_right_key_in_the_wrong_section_is_pointed_to_its_own() {
    let said = mistake(&of("otlp_url = 'http://127.0.0.1:4318'"));
    assert_eq!(
        said,
        "t.toml:1:1: otlp_url: there is no such key; did you mean telemetry.otlp_url?"
    );
}

#[test]
fn a_wrong_value_is_named_with_what_it_can_be() {
    let said = mistake(&of("[log]\nformat = 'jsn'\n"));
    assert_eq!(
        said,
        "t.toml:2:1: log.format: cannot be 'jsn'; it can be text, json"
    );
    let said = mistake(&of("listen = 8080\n"));
    assert!(said.starts_with("t.toml:1:1: listen: "), "{said}");
    let said = mistake(&of("[store]\nurl = 'mysql://root:hunter2@db/x'\n"));
    assert!(
        said.starts_with("t.toml:2:1: store.url: cannot use"),
        "{said}"
    );
    assert!(
        said.contains("postgres://") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn text_that_is_not_toml_is_placed() {
    let said = mistake(&of("listen = \n"));
    assert!(said.starts_with("t.toml:1:"), "{said}");
    assert!(said.contains("not TOML"), "{said}");
}

#[test]
fn a_mistake_of_the_environment_names_the_variable() {
    let said = mistake(&env(of(""), "TRADEWIND__STORE__ULR", "sqlite"));
    assert!(
        said.starts_with("TRADEWIND__STORE__ULR: store.ulr: there is no such key"),
        "{said}"
    );
    let said = mistake(&env(of(""), "TRADEWIND__WORKERS", "soon"));
    assert!(said.starts_with("TRADEWIND__WORKERS: workers: "), "{said}");
    let said = mistake(&env(of("log = 1"), "TRADEWIND__LOG__LEVEL", "info"));
    assert!(said.contains("is not a section"), "{said}");
}

#[test]
fn replicas_without_apart_say_what_to_add() {
    let said = mistake(&of("[replicas]\nlinks = 3\n"));
    assert!(
        said.starts_with("t.toml:2:1: replicas.links: ") && said.contains("--apart"),
        "{said}"
    );
    let said = mistake(&of("topology = 'apart'\n[replicas]\ngateway = 3\n"));
    assert!(said.contains("'gateway' cannot have replicas"), "{said}");
}

#[test]
fn the_rule_of_the_environment_goes_both_ways() {
    for key in keys() {
        let name = env_name(&key);
        let vars = std::iter::once((name.clone().into(), "x".into()));
        let read = Layers::read(None, vars).expect("no file is read");
        assert_eq!(read.environment[0].key, key, "{name}");
    }
}

#[test]
fn a_value_that_is_no_text_is_refused_and_other_peoples_variables_are_not_looked_at() {
    use std::os::unix::ffi::OsStringExt as _;
    let bytes = || OsString::from_vec(vec![0xff, 0xfe]);
    let read = |name: OsString| Layers::read(None, std::iter::once((name, bytes())));
    assert_eq!(read("PS1".into()).expect("not ours").environment, []);
    assert!(read(bytes()).is_ok(), "a name that is no text is not ours");
    let refused = read("TRADEWIND__LISTEN".into()).expect_err("not text");
    assert_eq!(
        refused.to_string(),
        "TRADEWIND__LISTEN: listen: its value is not UTF-8"
    );
}

#[test]
fn a_service_that_there_is_not_cannot_be_found() {
    assert_eq!(
        mistake(&of("[discovery.addresses]\nlinsk = ['127.0.0.1:1']\n")),
        "t.toml:2:1: discovery.addresses.linsk: there is no such service; did you mean links?"
    );
    assert_eq!(
        mistake(&of("[discovery.dns]\nmoon = 'a.example:1'\n")),
        "t.toml:2:1: discovery.dns.moon: there is no such service; there are console, gateway, links"
    );
    for wrong in ["links.internal", "links.internal:http", ":7070", "a b:7070"] {
        let said = mistake(&of(&format!("[discovery.dns]\nlinks = '{wrong}'\n")));
        assert!(said.contains("write host:port"), "{said}");
    }
    let both = "[discovery]\naddresses.links = ['127.0.0.1:1']\ndns.links = 'a.example:1'\n";
    assert!(mistake(&of(both)).contains("written down and in DNS"));
    let right = "[discovery]\naddresses.gateway = ['127.0.0.1:1']\ndns.links = 'a.example:1'\n";
    assert!(merged(&of(right)).is_ok());
}
