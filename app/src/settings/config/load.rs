//! Reads the layers of the configuration and merges them: default < file < environment < flag.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{Config, Mistake, Names, keys, locate, mistake};

/// One value for one key, from the environment or from a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The environment variable or the flag, as it is called by whoever set it.
    pub origin: String,
    /// The key, such as `store.url`.
    pub key: String,
    /// The value as text.
    pub value: String,
}

/// Everything that the configuration is made of, weakest first.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The file and its text.
    pub file: Option<(PathBuf, String)>,
    /// Overrides from the environment.
    pub environment: Vec<Override>,
    /// Overrides from flags.
    pub flags: Vec<Override>,
}

/// What every environment override starts with.
const PREFIX: &str = "TRADEWIND__";
/// Read when it is there and no `--config` says otherwise.
const FILE: &str = "tradewind.toml";
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The environment variable that overrides `key`: `store.url` is `TRADEWIND__STORE__URL`.
#[must_use]
pub fn env_name(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

impl Layers {
    /// Reads `file` (or `tradewind.toml`, if it is there) and takes the overrides from `vars`.
    pub fn read(
        file: Option<&Path>,
        vars: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Mistake> {
        let path = match file {
            Some(path) => Some(path.to_owned()),
            None => Some(PathBuf::from(FILE)).filter(|path| path.is_file()),
        };
        let file = path
            .map(|path| read_file(&path).map(|text| (path, text)))
            .transpose()?;
        let mut environment = vars
            .filter_map(|(name, value)| variable(&name.to_string_lossy(), value))
            .collect::<Result<Vec<_>, _>>()?;
        environment.sort_by(|a, b| a.origin.cmp(&b.origin));
        Ok(Self {
            file,
            environment,
            flags: Vec::new(),
        })
    }

    /// The same with one more flag.
    #[must_use]
    pub fn with_flag(mut self, flag: &str, key: &str, value: impl ToString) -> Self {
        let (origin, key, value) = (flag.to_owned(), key.to_owned(), value.to_string());
        self.flags.push(Override { origin, key, value });
        self
    }

    /// Merges the layers into one configuration, or says where the mistake is. `names` tells who can
    /// be named in it.
    pub fn merge(&self, names: impl Fn(&Config) -> Names) -> Result<Config, Mistake> {
        let mut table = self.file_table()?;
        for over in self.environment.iter().chain(&self.flags) {
            let value = over.typed();
            set(&mut table, &over.key, value).map_err(|()| over.mistake("is not a section"))?;
        }
        let read: Result<Config, _> = serde_path_to_error::deserialize(Value::Table(table));
        let config = read.map_err(|error| {
            let path = error.path().to_string();
            let detail = mistake::explain(error.inner().message(), &path, &keys());
            self.mistake_at(&path, detail)
        })?;
        match config.wrong(&names(&config)) {
            Some((key, detail)) => Err(self.mistake_at(&key, detail)),
            None => Ok(config),
        }
    }

    fn file_table(&self) -> Result<Table, Mistake> {
        let Some((path, text)) = &self.file else {
            return Ok(Table::new());
        };
        text.parse().map_err(|error: toml::de::Error| {
            let place = locate::place(text, error.span().map_or(0, |span| span.start));
            Mistake {
                origin: path.display().to_string(),
                line: Some(place.line),
                column: Some(place.column),
                key: String::new(),
                detail: format!("not TOML: {}", error.message()),
            }
        })
    }

    /// The mistake at `key`, in the strongest layer that sets it.
    fn mistake_at(&self, key: &str, detail: String) -> Mistake {
        let sets = |over: &&Override| {
            key == over.key
                || key
                    .strip_prefix(&over.key)
                    .is_some_and(|rest| rest.starts_with('.'))
        };
        if let Some(over) = self.flags.iter().rev().find(sets) {
            return over.mistake(&detail);
        }
        if let Some(over) = self.environment.iter().rev().find(sets) {
            return over.mistake(&detail);
        }
        let (origin, place) = match &self.file {
            Some((path, text)) => (path.display().to_string(), locate::key(text, key)),
            None => ("configuration".to_owned(), None),
        };
        let (line, column) = (place.map(|p| p.line), place.map(|p| p.column));
        Mistake {
            origin,
            line,
            column,
            key: key.to_owned(),
            detail,
        }
    }
}

impl Override {
    fn mistake(&self, detail: &str) -> Mistake {
        Mistake {
            origin: self.origin.clone(),
            line: None,
            column: None,
            key: self.key.clone(),
            detail: detail.to_owned(),
        }
    }

    /// The value in the type that the key wants: text if it takes text, else as TOML reads it.
    fn typed(&self) -> Value {
        let text = Value::String(self.value.clone());
        if self.fits(&text) {
            return text;
        }
        let parsed = format!("v = {}", self.value).parse::<Table>().ok();
        let parsed = parsed.and_then(|mut table| table.remove("v"));
        parsed.filter(|value| self.fits(value)).unwrap_or(text)
    }

    fn fits(&self, value: &Value) -> bool {
        let mut table = Table::new();
        set(&mut table, &self.key, value.clone()).is_ok()
            && Value::Table(table).try_into::<Config>().is_ok()
    }
}

/// What the environment variable `name` overrides; nothing unless it begins as ours do.
fn variable(name: &str, value: OsString) -> Option<Result<Override, Mistake>> {
    let key = name.strip_prefix(PREFIX)?.to_lowercase().replace("__", ".");
    let over = |value: String| Override {
        origin: name.to_owned(),
        key: key.clone(),
        value,
    };
    let refused = |_| over(String::new()).mistake("its value is not UTF-8");
    Some(value.into_string().map(over).map_err(refused))
}

fn set(table: &mut Table, key: &str, value: Value) -> Result<(), ()> {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
            Ok(())
        }
        Some((section, rest)) => {
            let inner = table
                .entry(section.to_owned())
                .or_insert_with(|| Value::Table(Table::new()))
                .as_table_mut()
                .ok_or(())?;
            set(inner, rest, value)
        }
    }
}

fn read_file(path: &Path) -> Result<String, Mistake> {
    let fail = |detail: String| Mistake {
        origin: path.display().to_string(),
        line: None,
        column: None,
        key: String::new(),
        detail,
    };
    let size = std::fs::metadata(path)
        .map_err(|e| fail(format!("cannot be read: {e}")))?
        .len();
    if size > FILE_BYTES_MAX {
        return Err(fail(format!(
            "is larger than {FILE_BYTES_MAX} bytes; is it the right file?"
        )));
    }
    std::fs::read_to_string(path).map_err(|e| fail(format!("cannot be read: {e}")))
}

#[cfg(test)]
mod tests;
