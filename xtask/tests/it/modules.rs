//! The modules of a crate: drawn, without circles, and in rooms.

use xtask::graph;
use xtask::graph::modules::PATH;

use crate::mini::Mini;

const RULE: &str = "module-circle";
const LIST: &str = "xtask/circles.toml";
const ENTRY: &str =
    "[[circle]]\nat = \"kernel\"\nmodules = [\"a\", \"b\"]\nreason = \"one thing in two files\"\n";

/// A workspace with these modules in kernel, and its graph as it is.
fn kernel(modules: &[(&str, &str)]) -> Mini {
    let mini = Mini::new();
    for (path, code) in modules {
        let path = format!("platform/kernel/src/{path}.rs");
        mini.write(&path, &format!("//! A module.\n{code}\n"));
    }
    graph::write(&mini.load()).expect("it is written");
    mini
}

fn with_circle() -> Mini {
    kernel(&[
        ("a", "use crate::b::B;"),
        ("b", "fn f() { say!(super::a::A) }"),
        ("c", "use crate::a::A;"),
    ])
}

#[test]
fn the_modules_of_a_crate_are_drawn_by_what_they_know() {
    let mini = kernel(&[
        ("a", "use crate::{b::c::C, d};"),
        ("b", "use self::c::C;\nuse crate::d::D;"),
        ("b/c", "use super::e::E;"),
        ("b/e", "use serde::E;"),
        (
            "d",
            "fn f() {}\n#[cfg(test)]\nmod tests { use crate::a::A; }",
        ),
        ("b/tests", "use crate::a::A;"),
        ("alone", "use kernel_of_others::a::A;"),
    ]);
    let page = mini.read(PATH);
    let want = "\nkernel\n  a\n  b\n  d\n\nkernel::b\n  c\n  e\n";
    assert!(page.ends_with(want), "{page}");
    assert_eq!(mini.faults(), []);
}

#[test]
fn a_stale_picture_of_the_modules_is_caught() {
    let mini = kernel(&[("a", "use crate::b::B;"), ("b", "")]);
    mini.write("platform/kernel/src/a.rs", "//! A module.\n");
    mini.expect(PATH, 1, "module-graph", "cargo xtask graph");
    assert!(!graph::check(&mini.load()).unwrap().success);
}

#[test]
fn a_circle_of_modules_is_caught_with_its_way_round() {
    let mini = with_circle();
    mini.expect("platform/kernel/src/a.rs", 2, RULE, "a -> b -> a");
    assert!(mini.read(PATH).contains("\n  c\n  (a, b)\n"));
}

#[test]
fn a_circle_below_the_top_and_one_through_a_name_that_is_passed_on_are_caught() {
    let mini = kernel(&[
        ("a", ""),
        ("a/x", "use super::y::Y;"),
        ("a/y", "use crate::a::x::X;"),
    ]);
    mini.expect("platform/kernel/src/a/x.rs", 2, RULE, "of kernel::a");

    let mini = kernel(&[
        ("lib", "pub use front::Name;"),
        ("front", "pub use crate::b::Name;"),
        ("a", "use crate::Name;"),
        ("b", "use crate::a::A;"),
    ]);
    let faults = mini.faults();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(
        faults[0].advice.contains("[\"a\", \"b\", \"front\"]"),
        "{faults:#?}"
    );
}

#[test]
fn a_circle_of_tests_alone_is_none() {
    let mini = kernel(&[
        ("a", "use crate::b::B;"),
        (
            "b",
            "#[cfg(test)]\nfn f() { crate::a::f() }\n#[cfg(test)]\nmod tests { use crate::a::A; }",
        ),
    ]);
    assert_eq!(mini.faults(), []);
}

#[test]
fn a_circle_that_is_listed_with_its_reason_is_let_be() {
    let mini = with_circle();
    mini.write(LIST, ENTRY);
    assert_eq!(mini.faults(), []);
    mini.write(LIST, &ENTRY.replace("one thing in two files", ""));
    mini.expect(LIST, 1, RULE, "needs its reason");
}

#[test]
fn a_list_of_circles_that_is_no_longer_true_is_caught() {
    let mini = kernel(&[("a", "use crate::b::B;"), ("b", "")]);
    mini.write(LIST, &format!("# Why.\n\n{ENTRY}"));
    mini.expect(LIST, 3, RULE, "drop it from the list");

    let mini = with_circle();
    mini.write(
        LIST,
        &ENTRY.replace("[\"a\", \"b\"]", "[\"a\", \"b\", \"c\"]"),
    );
    assert_eq!(
        mini.faults().len(),
        2,
        "it has become smaller, and is to be listed as it is"
    );
}

/// A workspace whose app has these modules, and its graph as it is.
fn app(modules: &[(&str, &str)]) -> Mini {
    let mini = Mini::new();
    for (path, code) in modules {
        let path = format!("app/src/{path}.rs");
        mini.write(&path, &format!("//! A module.\n{code}\n"));
    }
    graph::write(&mini.load()).expect("it is written");
    mini
}

#[test]
fn a_room_may_know_those_below() {
    let mini = app(&[
        ("settings", ""),
        ("shell/host", "use crate::settings::Config;"),
        (
            "compose/start",
            "use crate::shell::host::Host;\nuse crate::settings::Config;",
        ),
        ("cli", "use crate::compose::start::start;"),
        ("stray", "use crate::cli::run;"),
    ]);
    assert_eq!(mini.faults(), []);
}

#[test]
fn a_room_that_knows_one_above_is_caught() {
    let mini = app(&[
        ("settings/keys", "\nuse super::super::operate::Admin;"),
        ("operate", ""),
    ]);
    mini.expect(
        "app/src/settings/keys.rs",
        3,
        "rooms",
        "`settings` is below `operate`",
    );
}

#[test]
fn a_room_that_knows_what_is_in_no_room_is_caught() {
    let mini = app(&[
        ("operate/admin", "use crate::client::Client;"),
        ("client", ""),
    ]);
    mini.expect(
        "app/src/operate/admin.rs",
        2,
        "rooms",
        "`client` is in no room",
    );
}
