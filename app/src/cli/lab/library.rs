//! Experiments by name or file: list, show, and the file of a new one.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use experiments::{Catalogue, LIBRARY, Spec};
use serde_json::json;

use super::super::output::{Output, table};
use super::{bad, prices};

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// What a new experiment begins with.
const TEMPLATE: &str = include_str!("template.toml");

pub(super) fn list(output: Output) -> Result<ExitCode> {
    let all = all()?;
    let catalogue = catalogue();
    let mut rows = vec![
        ["EXPERIMENT", "PHASE", "QUESTION"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(all.iter().map(|spec| {
        let phase = spec.phase.get_ref().to_string();
        vec![spec.id.get_ref().clone(), phase, spec.question.clone()]
    }));
    let json: Vec<_> = all
        .iter()
        .map(|spec| {
            json!({
                "id": spec.id.get_ref(), "title": spec.title, "question": spec.question,
                "phase": spec.phase.get_ref(), "services": services(spec, &catalogue),
                "proof_s": rounded(spec.clone().proof().about_s()),
            })
        })
        .collect();
    let prices: Vec<_> = prices::all()
        .map_err(bad)?
        .iter()
        .map(|plan| {
            json!({
                "id": plan.knob.name, "services": services(&plan.spec, &catalogue),
                "proof_s": rounded(plan.spec.clone().quick().about_s()),
            })
        })
        .collect();
    let json = json!({ "experiments": json, "prices": prices });
    output.say(&table(&rows), &json)
}

/// The parts of the program that an experiment is about: its services, those of the lab's stage as
/// one, and the twins.
fn services(spec: &Spec, catalogue: &Catalogue) -> BTreeSet<String> {
    let mut parts: BTreeSet<String> = spec.services(catalogue);
    if parts.is_empty() {
        parts.insert("twins".to_owned());
    }
    let of_stage = |name: &String| crate::compose::is_of_stage(name);
    if parts.iter().any(of_stage) {
        parts.retain(|name| !of_stage(name));
        parts.insert("stage".to_owned());
    }
    parts
}

/// Tenths of seconds are more than anybody knows beforehand.
fn rounded(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

pub(super) fn show(name: &str, output: Output) -> Result<ExitCode> {
    let spec = find(name)?;
    let json = json!({ "id": spec.id.get_ref(), "text": spec.text });
    output.say(&spec.text, &json)
}

pub(super) fn new(name: &str, output: Output) -> Result<ExitCode> {
    let text = TEMPLATE.replace("my-experiment", name);
    let file = format!("{name}.toml");
    // A bad name is a bad id, and it is no path that leads elsewhere.
    checked(&file, &text)?;
    let made = std::fs::File::create_new(&file);
    made.and_then(|mut made| made.write_all(text.as_bytes()))
        .map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                bad(format!("{file} is there already; choose another name"))
            }
            _ => bad(format!("{file}: {error}")),
        })?;
    let said = format!("wrote {file}; change it, then: tradewind lab run {file}");
    output.say(&said, &json!({ "file": file }))
}

/// The experiment that is called `name`, or that stands in the file `name`.
pub(super) fn find(name: &str) -> Result<Spec> {
    if let Some((id, text)) = LIBRARY.iter().find(|(id, _)| *id == name) {
        return checked(&format!("{id}.toml"), text);
    }
    let path = Path::new(name);
    if !path.is_file() {
        let known = LIBRARY.iter().map(|(id, _)| *id);
        let near = kernel::nearest(name, known);
        let hint = match near.first() {
            Some(near) => format!("did you mean {near}?"),
            None => "'tradewind lab list' shows what there is".to_owned(),
        };
        return Err(bad(format!(
            "no experiment and no file is called '{name}'; {hint}"
        )));
    }
    let size = path.metadata().map_or(0, |meta| meta.len());
    if size > FILE_BYTES_MAX {
        return Err(bad(format!(
            "{name} is larger than {} KiB",
            FILE_BYTES_MAX >> 10
        )));
    }
    let text = std::fs::read_to_string(path).map_err(|error| bad(format!("{name}: {error}")))?;
    checked(name, &text)
}

/// Every experiment that comes with the program.
pub(super) fn all() -> Result<Vec<Spec>> {
    let read = |(id, text): &(&str, &str)| checked(&format!("{id}.toml"), text);
    LIBRARY.iter().map(read).collect()
}

fn checked(file: &str, text: &str) -> Result<Spec> {
    let spec = Spec::read(file, text).map_err(bad)?;
    spec.check(file, &catalogue()).map_err(bad)?;
    Ok(spec)
}

pub(super) fn catalogue() -> Catalogue {
    let config = crate::config::Config::default();
    let knobs = crate::compose::catalogue().into_iter();
    Catalogue {
        knobs: knobs
            .map(|knob| (format!("{}.{}", knob.service, knob.name), knob.allowed))
            .collect(),
        services: crate::compose::known()
            .map(|service| service.name.to_owned())
            .collect(),
        routes: crate::compose::known()
            .flat_map(|service| (service.routes)(&config))
            .map(|route| (route.prefix, route.service.to_owned()))
            .collect(),
    }
}
