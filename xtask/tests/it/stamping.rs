//! The stamp fills files and registrations, and leaves the workspace alone when it cannot.

use xtask::stamp::{self, name::Name};

use crate::mini::Mini;

fn with_templates() -> Mini {
    let mini = Mini::new();
    mini.write(
        "xtask/templates/services/__name__/src/lib.rs",
        "//! __Name__.\npub fn __item__() {}\n",
    );
    mini.write(
        "xtask/templates/services/__name__/src/knobs.rs",
        "//! Choices.\nfn f(k: Knobs) { k.declare(\"order\", \"\"); }\n",
    );
    mini.write(
        "xtask/templates/services/__name__/README.md",
        "# __Name__\n",
    );
    mini.package("lab/experiments", "experiments", &[]);
    mini.write(
        "lab/experiments/src/lib.rs",
        "//! Prices.\n// new-service: \"__name__.order\",\n",
    );
    mini.write(
        "xtask/templates/services/__name__/Cargo.toml.in",
        "[package]\nname = \"__name__\"\n",
    );
    mini.write(
        "xtask/templates/app/src/compose/__name__.rs",
        "//! Composes __name__.\n",
    );
    mini.append(
        "Cargo.toml",
        "# new-service: __name__ = { path = \"services/__name__\" }\n",
    );
    mini.append(
        "app/Cargo.toml",
        "# new-service: __name__.workspace = true\n",
    );
    mini.append(
        "contracts/src/lib.rs",
        "// new-service: pub mod __name__;\n",
    );
    mini.append("app/src/main.rs", "// new-service: mod __name__;\n");
    mini
}

#[test]
fn a_stamped_service_is_filled_and_registered() {
    let mini = with_templates();
    let written = stamp::stamp(mini.path(), &Name::parse("parcels").unwrap()).unwrap();
    assert_eq!(
        mini.read("services/parcels/src/lib.rs"),
        "//! Parcels.\npub fn parcel() {}\n"
    );
    assert_eq!(
        mini.read("services/parcels/Cargo.toml"),
        "[package]\nname = \"parcels\"\n"
    );
    assert!(
        mini.read("contracts/src/lib.rs")
            .contains("\npub mod parcels;\n// new-service")
    );
    assert!(
        mini.read("app/Cargo.toml")
            .contains("\nparcels.workspace = true\n# new-service")
    );
    assert!(
        written.contains(&"app/src/compose/parcels.rs".to_owned()),
        "{written:?}"
    );
}

#[test]
fn a_stamped_knob_is_in_the_price_list_as_unmeasured() {
    let mini = with_templates();
    let name = Name::parse("parcels").unwrap();
    let written = stamp::stamp(mini.path(), &name).unwrap();
    assert!(
        written.contains(&"docs/price-list.md".to_owned()),
        "{written:?}"
    );
    let page = mini.read("docs/price-list.md");
    let row =
        "| [parcels.order](../services/parcels/README.md#design-choices) | not measured yet |\n";
    assert!(page.ends_with(row), "{page}");
    assert!(
        mini.read("lab/experiments/src/lib.rs")
            .contains("\"parcels.order\",\n// new-service")
    );
}

#[test]
fn a_second_stamp_of_the_same_name_is_refused_before_anything_is_written() {
    let mini = with_templates();
    let name = Name::parse("parcels").unwrap();
    stamp::stamp(mini.path(), &name).unwrap();
    let before = mini.read("Cargo.toml");
    let error = stamp::stamp(mini.path(), &name).unwrap_err().to_string();
    assert!(error.contains("exists already"), "{error}");
    assert_eq!(mini.read("Cargo.toml"), before);
}

#[test]
fn a_missing_place_of_registration_is_an_error() {
    let mini = with_templates();
    mini.write("contracts/src/lib.rs", "//! Promises.\n");
    let error = stamp::stamp(mini.path(), &Name::parse("parcels").unwrap())
        .unwrap_err()
        .to_string();
    assert!(error.contains("contracts/src"), "{error}");
}
