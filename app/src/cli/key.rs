//! `tradewind key create`, `list` and `revoke`.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use kernel::Ctx;
use serde_json::json;

use web::NewKey;

use super::args::{KeyArgs, KeyCommand};
use super::output::{Output, table};
use super::{BadInput, output};
use crate::settings::data::DataDir;
use crate::settings::keys::{KeyFile, KeyFileError};

pub(super) fn run(args: &KeyArgs, output: Output) -> Result<ExitCode> {
    let data = DataDir::open(&args.common.load()?.data)?;
    let file = KeyFile::at(data.keys_file());
    match &args.command {
        KeyCommand::Create {
            name,
            scopes,
            tenant,
        } => {
            let scopes = (!scopes.is_empty()).then(|| scopes.join(","));
            let new = NewKey {
                name,
                scopes: scopes.as_deref(),
                tenant: tenant.as_deref(),
            };
            let key = file.create(&new, &Ctx::system()).map_err(told)?;
            let text = format!(
                "{key}\n\nThis is key '{name}'. It is shown once and kept only as a hash: store it now.\n\
                 Send it as 'Authorization: Bearer {}...'. From now on changes need a key.",
                &key[..8]
            );
            output.say(&text, &json!({ "name": name, "key": key }))
        }
        KeyCommand::List => {
            let keys = file.list()?.unwrap_or_default();
            let rows: Vec<Vec<String>> = keys
                .iter()
                .map(|key| {
                    vec![
                        key.name.clone(),
                        output::date(key.created),
                        key.scopes.clone().unwrap_or_else(|| "*".to_owned()),
                        key.sha256[..8].to_owned(),
                    ]
                })
                .collect();
            let text = if keys.is_empty() {
                "no keys; 'tradewind key create NAME' makes one".to_owned()
            } else {
                table(&rows)
            };
            let list: Vec<_> = keys
                .iter()
                .map(|key| json!({ "name": key.name, "created": key.created, "scopes": key.scopes, "tenant": key.tenant }))
                .collect();
            output.say(&text, &json!({ "keys": list }))
        }
        KeyCommand::Revoke { name } => {
            file.revoke(name).map_err(told)?;
            let text = format!("key '{name}' is revoked; a running system knows within a second");
            output.say(&text, &json!({ "revoked": name }))
        }
    }
}

fn told(error: KeyFileError) -> anyhow::Error {
    match error {
        KeyFileError::Io(error) => error,
        other => anyhow!(BadInput(other.to_string())),
    }
}
