//! One operation of one client: what it asked, and what it was told.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is stored, written or seen. In JSON `null`, a boolean, an integer or a string.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Nothing there: a key without a value, an empty queue.
    #[default]
    Nothing,
    /// Yes or no: whether a compare-and-set swapped, whether a set held the item.
    Bool(bool),
    /// A number.
    Int(i64),
    /// Any text.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Bool(yes) => write!(f, "{yes}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

/// As it is shown to people: states of models are printed with it.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// The value of a register or a counter.
    Read,
    /// The register is to hold this.
    Write(Value),
    /// The register is to hold `to` if it holds `from`; told whether it did.
    Cas {
        /// What it must hold.
        from: Value,
        /// What it shall hold.
        to: Value,
    },
    /// The counter is to grow by this.
    Add(i64),
    /// To the end of a queue.
    Push(Value),
    /// From the front of a queue; told what it was, or nothing.
    Pop,
    /// Into a set.
    Insert(Value),
    /// Out of a set; told whether it was there, or nothing.
    Remove(Value),
    /// Whether a set holds it.
    Contains(Value),
}

impl Ask {
    /// Whether it leaves everything as it is, whatever is answered.
    #[must_use]
    pub fn only_looks(&self) -> bool {
        matches!(self, Self::Read | Self::Contains(_))
    }

    /// The item that it brings: of a write, a push or an insert.
    #[must_use]
    pub fn brings(&self) -> Option<&Value> {
        match self {
            Self::Write(value) | Self::Push(value) | Self::Insert(value) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read => f.write_str("read"),
            Self::Write(value) => write!(f, "write {value}"),
            Self::Cas { from, to } => write!(f, "cas {from} -> {to}"),
            Self::Add(by) => write!(f, "add {by}"),
            Self::Push(value) => write!(f, "push {value}"),
            Self::Pop => f.write_str("pop"),
            Self::Insert(value) => write!(f, "insert {value}"),
            Self::Remove(value) => write!(f, "remove {value}"),
            Self::Contains(value) => write!(f, "contains {value}"),
        }
    }
}

/// What an answer said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// What was read, popped, or whether it was done.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub value: Value,
    /// The version of the key that was read or written, where the system tells it. It grows with
    /// each change; zero is a key without a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

fn is_nothing(value: &Value) -> bool {
    *value == Value::Nothing
}

/// What became of an operation, as far as its client knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was answered.
    Ok(Seen),
    /// It certainly did not happen, with the reason.
    Failed(String),
    /// A timeout or a broken connection: it may have happened at any moment after its begin, also
    /// after its end, or never.
    Unknown,
}

/// One operation of one client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Who asked.
    pub client: u32,
    /// Of which thing; each key is an object of its own.
    pub key: String,
    /// When it was sent, in microseconds of any clock that all clients share.
    pub begin_us: u64,
    /// When its answer was read, or its client gave up.
    pub end_us: u64,
    /// What was asked.
    pub ask: Ask,
    /// What was answered.
    pub outcome: Outcome,
}

impl Operation {
    /// An operation whose outcome is not known yet, or never.
    #[must_use]
    pub fn begun(client: u32, key: &str, begin_us: u64, ask: Ask) -> Self {
        Self {
            client,
            key: key.to_owned(),
            begin_us,
            end_us: begin_us,
            ask,
            outcome: Outcome::Unknown,
        }
    }

    /// It was answered with this value; [`Value::Nothing`] where there is nothing to tell.
    #[must_use]
    pub fn ok(mut self, end_us: u64, value: impl Into<Value>) -> Self {
        self.end_us = end_us;
        self.outcome = Outcome::Ok(Seen {
            value: value.into(),
            version: None,
        });
        self
    }

    /// The version that its answer told. Without an answer nothing changes.
    #[must_use]
    pub fn at_version(mut self, version: u64) -> Self {
        if let Outcome::Ok(seen) = &mut self.outcome {
            seen.version = Some(version);
        }
        self
    }

    /// It certainly did not happen.
    #[must_use]
    pub fn failed(mut self, end_us: u64, why: &str) -> Self {
        self.end_us = end_us;
        self.outcome = Outcome::Failed(why.to_owned());
        self
    }

    /// Its client gave up, and nobody knows whether it happened.
    #[must_use]
    pub fn unknown(mut self, end_us: u64) -> Self {
        self.end_us = end_us;
        self.outcome = Outcome::Unknown;
        self
    }

    /// What was answered, if it was.
    #[must_use]
    pub fn seen(&self) -> Option<&Seen> {
        match &self.outcome {
            Outcome::Ok(seen) => Some(seen),
            Outcome::Failed(_) | Outcome::Unknown => None,
        }
    }

    /// Whether it ended before the other began. In the same microsecond nobody knows, and they
    /// count as concurrent.
    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        self.end_us < other.begin_us
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            client,
            key,
            begin_us,
            end_us,
            ask,
            outcome,
        } = self;
        write!(
            f,
            "{begin_us}..{end_us} us, client {client}, {key}: {ask} => "
        )?;
        match outcome {
            Outcome::Ok(seen) => {
                match &seen.value {
                    Value::Nothing if !matches!(ask, Ask::Read | Ask::Pop) => f.write_str("ok")?,
                    value => write!(f, "{value}")?,
                }
                match seen.version {
                    Some(version) => write!(f, " (version {version})"),
                    None => Ok(()),
                }
            }
            Outcome::Failed(why) => write!(f, "failed: {why}"),
            Outcome::Unknown => f.write_str("unknown"),
        }
    }
}

/// Something that is stored, or an effect that was seen, under a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Under which key.
    pub key: String,
    /// Which one.
    pub value: Value,
}

impl Item {
    /// An item under a key.
    #[must_use]
    pub fn new(key: &str, value: impl Into<Value>) -> Self {
        Self {
            key: key.to_owned(),
            value: value.into(),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.value, self.key)
    }
}
