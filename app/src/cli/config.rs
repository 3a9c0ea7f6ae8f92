//! `tradewind config check` and `config show`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::args::{ConfigArgs, ConfigCommand};
use super::output::Output;
use crate::compose;
use crate::settings::config::{Layers, redacted};

pub(super) fn run(args: ConfigArgs, output: Output) -> Result<ExitCode> {
    match args.command {
        ConfigCommand::Check { file } => {
            let layers = Layers::read(file.as_deref(), std::env::vars_os())?;
            layers.merge(compose::names)?;
            let of = layers
                .file
                .as_ref()
                .map(|(path, _)| path.display().to_string());
            let text = match &of {
                Some(path) => format!("{path} is valid"),
                None => "there is no tradewind.toml here; the defaults are valid".to_owned(),
            };
            output.say(&text, &json!({ "valid": true, "file": of }))
        }
        ConfigCommand::Show(common) => {
            let shown = redacted(&common.load()?);
            output.say(&toml::to_string(&shown)?, &shown)
        }
    }
}
