//! Every key that the configuration knows, read off its defaults.

use serde_json::Value;

use super::Config;

/// Every key with a default, such as `store.url`; a map that is empty by default is one key.
#[must_use]
pub fn keys() -> Vec<String> {
    let mut found = Vec::new();
    if let Ok(value) = serde_json::to_value(Config::default()) {
        walk("", &value, &mut found);
    }
    found
}

fn walk(prefix: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, inner) in fields {
                let key = if prefix.is_empty() {
                    name.clone()
                } else {
                    format!("{prefix}.{name}")
                };
                walk(&key, inner, found);
            }
        }
        _ => found.push(prefix.to_owned()),
    }
}
