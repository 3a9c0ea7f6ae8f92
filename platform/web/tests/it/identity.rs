//! Keys and proxies at the ingress.

use std::net::IpAddr;

use http::Request;
use kernel::{SeededRandom, SystemClock};
use web::{Caller, Ingress, Keys};

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
    let (plain, stored) = Keys::generate("ci", &SystemClock, &random).unwrap();
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
    assert_eq!(meta.caller, Caller::Key { name: "ci".into() });
    assert_eq!(from(&ingress, "127.0.0.1", &[]).caller, Caller::Anonymous);
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
            Keys::generate(bad, &SystemClock, &random).is_err(),
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
