//! Keys and proxies at the ingress.

use std::net::IpAddr;

use http::Request;
use kernel::{Principal, Scopes, SeededRandom, SystemClock};
use web::{ClusterSecret, Ingress, Keys, NewKey};

fn from(ingress: &Ingress, peer: &str, headers: &[(&str, &str)]) -> web::Meta {
    let mut request = Request::get("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let peer: IpAddr = peer.parse().unwrap();
    ingress.admit(peer, &mut request.body(()).unwrap()).unwrap()
}

#[test]
fn keys_can_be_revoked_while_running() {
    let random = SeededRandom::new(3);
    let (plain, stored) = Keys::generate(&NewKey::of("ci"), &SystemClock, &random).unwrap();
    assert!(plain.starts_with("twk_") && plain.len() == 68);
    assert!(
        !serde_json::to_string(&stored)
            .unwrap()
            .contains(&plain[4..]),
        "kept as a hash only"
    );
    let keys = Keys::of(&[stored]).unwrap();
    let ingress = Ingress::new(keys.clone(), &random);
    let bearer = format!("bearer {plain}");
    let meta = from(&ingress, "127.0.0.1", &[("authorization", &bearer)]);
    assert_eq!(
        meta.caller,
        Principal::key("ci", kernel::DEFAULT_TENANT, kernel::Scopes::ALL)
    );
    assert_eq!(
        from(&ingress, "127.0.0.1", &[]).caller,
        Principal::ANONYMOUS
    );
    keys.reload(&[]).unwrap();
    let mut request = Request::get("/")
        .header("authorization", &bearer)
        .body(())
        .unwrap();
    assert!(
        ingress.admit([127, 0, 0, 1].into(), &mut request).is_err(),
        "revoked"
    );
    assert!(
        !keys.is_open(),
        "no key left is not the same as none configured"
    );
    for bad in ["", "a b", "x\n"] {
        assert!(
            Keys::generate(&NewKey::of(bad), &SystemClock, &random).is_err(),
            "{bad:?}"
        );
    }
}

#[test]
fn a_trusted_proxy_is_believed_and_nobody_else() {
    let random = SeededRandom::new(3);
    let ours = "10.0.0.0/8".parse().unwrap();
    let ingress = Ingress::new(Keys::none(), &random).with_trusted_proxies(&[ours]);
    let sent = [("x-forwarded-for", "6.6.6.6, 198.51.100.7, 10.0.0.2")];
    let through = from(&ingress, "10.0.0.1", &sent);
    assert_eq!(through.client.0, "198.51.100.7".parse::<IpAddr>().unwrap());
    let direct = from(&ingress, "192.0.2.1", &sent);
    assert_eq!(direct.client.0, "192.0.2.1".parse::<IpAddr>().unwrap());
}

#[test]
fn a_process_of_ours_names_the_caller_and_an_unknown_one_is_trusted_with_nothing() {
    let random = SeededRandom::new(4);
    let secret = ClusterSecret::new("the secret of the cluster");
    let ingress = Ingress::new(Keys::none(), &random).with_cluster(secret.clone());
    let key = Principal::key("ci", "acme", Scopes::parse("links:read").unwrap());
    let told = [
        (key.to_text().into_owned(), key.clone()),
        ("local".to_owned(), Principal::LOCAL),
        ("robot:x".to_owned(), Principal::ANONYMOUS),
        ("key:ci;grants=all".to_owned(), Principal::ANONYMOUS),
        (String::new(), Principal::ANONYMOUS),
    ];
    for (text, expected) in told {
        let sent = [
            ("x-tradewind-cluster", secret.expose()),
            ("x-tradewind-caller", text.as_str()),
        ];
        let meta = from(&ingress, "127.0.0.1", &sent);
        assert_eq!(meta.caller, expected, "{text}");
        assert!(meta.from_cluster);
    }
    let nobody_named = [("x-tradewind-cluster", secret.expose())];
    let meta = from(&ingress, "127.0.0.1", &nobody_named);
    assert_eq!(meta.caller, Principal::INTERNAL);
}

#[test]
fn a_key_has_the_scopes_and_the_tenant_it_was_made_with() {
    let random = SeededRandom::new(5);
    let new = NewKey {
        scopes: Some("links:read,tasks:*"),
        tenant: Some("acme"),
        ..NewKey::of("eye")
    };
    let (plain, stored) = Keys::generate(&new, &SystemClock, &random).unwrap();
    let keys = Keys::of(&[stored]).unwrap();
    let owner = keys.owner(&plain).unwrap();
    assert_eq!((owner.id(), owner.tenant()), ("eye", "acme"));
    assert!(owner.may("links:read") && owner.may("tasks:write") && !owner.may("links:write"));
    for scopes in ["links", "links:read everything"] {
        let wrong = NewKey {
            scopes: Some(scopes),
            ..NewKey::of("eye")
        };
        assert!(
            Keys::generate(&wrong, &SystemClock, &random).is_err(),
            "{scopes}"
        );
    }
}
