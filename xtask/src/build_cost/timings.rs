//! Reads the page that `cargo --timings` writes: the data of its chart are one JSON array.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Deserializer, Value};

use super::Times;

/// In front of the array.
const MARK: &str = "const UNIT_DATA = ";

/// One thing that cargo did: a crate compiled, or a build script run.
#[derive(Debug, PartialEq)]
pub(super) struct Unit {
    /// The package.
    pub(super) name: String,
    /// When it began, in seconds from the start of the build.
    pub(super) start_s: f64,
    /// How long it took.
    pub(super) duration_s: f64,
}

/// Every unit of the page.
pub(super) fn units(page: &str) -> Result<Vec<Unit>> {
    let (_, data) = page
        .split_once(MARK)
        .context("no page of `cargo --timings`: it holds no UNIT_DATA")?;
    // What follows the array is the rest of the script.
    let array = Deserializer::from_str(data)
        .into_iter::<Vec<Value>>()
        .next();
    let array = array.context("UNIT_DATA is empty")?.context("UNIT_DATA")?;
    ensure!(
        !array.is_empty(),
        "nothing was built: begin with an empty target directory"
    );
    array.iter().map(unit).collect()
}

fn unit(value: &Value) -> Result<Unit> {
    let number = |key: &str| {
        let number = value[key].as_f64();
        number.with_context(|| format!("a unit without `{key}`"))
    };
    Ok(Unit {
        name: value["name"]
            .as_str()
            .context("a unit without `name`")?
            .to_owned(),
        start_s: number("start")?,
        duration_s: number("duration")?,
    })
}

/// What the page tells of the whole: no CPU time.
pub(super) fn times(units: &[Unit]) -> Times {
    let ends = units.iter().map(|unit| unit.start_s + unit.duration_s);
    Times {
        wall_s: ends.fold(0.0, f64::max),
        cpu_s: None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// As cargo 1.95 writes it, without what is not read.
    pub(in super::super) const PAGE: &str = r#"<html><script>
DURATION = 90;
const UNIT_DATA = [
  {"i": 0, "name": "syn", "version": "2.0.1", "mode": "todo", "target": "", "features": [], "start": 0.0, "duration": 4.0, "unblocked_units": [1], "sections": null},
  {"i": 1, "name": "serde_derive", "version": "1.0.0", "mode": "todo", "target": "", "start": 4.0, "duration": 2.0},
  {"i": 2, "name": "tokio", "version": "1.54.1", "mode": "todo", "target": "", "start": 1.5, "duration": 10.0},
  {"i": 3, "name": "contracts", "version": "0.1.0", "mode": "todo", "target": "", "start": 12.0, "duration": 1.0},
  {"i": 4, "name": "links", "version": "0.1.0", "mode": "todo", "target": "", "start": 13.0, "duration": 20.0},
  {"i": 5, "name": "links", "version": "0.1.0", "mode": "todo", "target": " it \"test\"", "start": 33.0, "duration": 4.0}
];
const CONCURRENCY_DATA = [];
</script></html>"#;

    #[test]
    fn the_units_are_read_and_the_rest_of_the_page_is_not() {
        let units = units(PAGE).expect("units");
        assert_eq!(units.len(), 6);
        let links = Unit {
            name: "links".to_owned(),
            start_s: 13.0,
            duration_s: 20.0,
        };
        assert_eq!(units[4], links);
        let whole = Times {
            wall_s: 37.0,
            cpu_s: None,
        };
        assert_eq!(times(&units), whole);
    }

    #[test]
    fn what_is_no_page_of_timings_is_refused_with_the_reason() {
        let refused = |page: &str| format!("{:#}", units(page).expect_err("no units"));
        assert!(refused("<html>").contains("holds no UNIT_DATA"));
        assert!(refused("const UNIT_DATA = [];").contains("nothing was built"));
        let damaged = refused(r#"const UNIT_DATA = [{"name": "a", "start": 1}];"#);
        assert!(damaged.contains("`duration`"), "{damaged}");
    }
}
