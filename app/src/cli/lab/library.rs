//! Experiments by name or file: show one, and the file of a new one.

use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use experiments::{Catalogue, LIBRARY, Spec};
use serde_json::json;

use super::super::output::Output;
use super::bad;

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// What a new experiment begins with.
const TEMPLATE: &str = include_str!("template.toml");

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
