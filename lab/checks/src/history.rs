//! A recorded history, kept as JSON lines: one operation a line, in any order.

use std::collections::BTreeMap;

use crate::operation::{Ask, Operation, Outcome, Value};

/// So many operations are taken; more are refused.
pub const OPERATIONS_MAX: usize = 1_000_000;
/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 256;
/// The longest text of a value or a reason, in bytes.
pub const TEXT_BYTES_MAX: usize = 4096;

/// Why an operation is no part of a history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// Time runs forward.
    #[error("the operation ends at {end_us} us, before it begins at {begin_us} us: swap them")]
    EndBeforeBegin {
        /// As given.
        begin_us: u64,
        /// As given.
        end_us: u64,
    },
    /// A key without a name, or a long one.
    #[error("the key has {bytes} bytes: give it 1 to {KEY_BYTES_MAX}")]
    Key {
        /// As given.
        bytes: usize,
    },
    /// A long text.
    #[error("a text has {bytes} bytes, at most {TEXT_BYTES_MAX} are taken: record a digest of it")]
    Text {
        /// As given.
        bytes: usize,
    },
    /// A long history.
    #[error(
        "a history takes at most {OPERATIONS_MAX} operations: record a shorter run, or a share of the keys"
    )]
    Full,
}

/// Which line of a text is no operation, and why.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the history: {problem}")]
pub struct ParseError {
    /// Counted from one.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// What clients asked for and what they were told. An operation's number is its place, from one,
/// which is also its line where no line is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    operations: Vec<Operation>,
}

impl History {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A history of these.
    ///
    /// # Errors
    /// [`HistoryError`] for the first that is refused.
    pub fn of(operations: impl IntoIterator<Item = Operation>) -> Result<Self, HistoryError> {
        let mut history = Self::new();
        for operation in operations {
            history.push(operation)?;
        }
        Ok(history)
    }

    /// Adds one.
    ///
    /// # Errors
    /// [`HistoryError`] when it is too long, ends before it begins, or the history is full.
    pub fn push(&mut self, operation: Operation) -> Result<(), HistoryError> {
        check(&operation)?;
        if self.operations.len() >= OPERATIONS_MAX {
            return Err(HistoryError::Full);
        }
        self.operations.push(operation);
        Ok(())
    }

    /// Reads JSON lines; empty lines are passed over.
    ///
    /// # Errors
    /// [`ParseError`] with the line, for what is no operation or is refused by [`History::push`].
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut history = Self::new();
        for (line, words) in (1..).zip(text.lines()) {
            if words.trim().is_empty() {
                continue;
            }
            let at = |problem: String| ParseError { line, problem };
            let operation = serde_json::from_str(words).map_err(|e| at(reason(&e)))?;
            history.push(operation).map_err(|e| at(e.to_string()))?;
        }
        Ok(history)
    }

    /// As JSON lines, which [`History::parse`] reads back.
    #[must_use]
    pub fn to_lines(&self) -> String {
        let mut lines = String::new();
        for operation in &self.operations {
            lines += &serde_json::to_string(operation).expect("an operation has string keys only");
            lines.push('\n');
        }
        lines
    }

    /// Every operation, in the order of recording.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Operations with their numbers, by key.
    pub(crate) fn by_key(&self) -> BTreeMap<&str, Vec<(usize, &Operation)>> {
        let mut keys: BTreeMap<&str, Vec<(usize, &Operation)>> = BTreeMap::new();
        for (number, operation) in (1..).zip(&self.operations) {
            let of_key = keys.entry(operation.key.as_str()).or_default();
            of_key.push((number, operation));
        }
        keys
    }
}

/// The column stands in the error's own words, the line would always be one.
fn reason(error: &serde_json::Error) -> String {
    error
        .to_string()
        .replace(" at line 1 column ", " at column ")
}

fn check(operation: &Operation) -> Result<(), HistoryError> {
    let &Operation {
        begin_us, end_us, ..
    } = operation;
    if end_us < begin_us {
        return Err(HistoryError::EndBeforeBegin { begin_us, end_us });
    }
    let bytes = operation.key.len();
    if bytes == 0 || bytes > KEY_BYTES_MAX {
        return Err(HistoryError::Key { bytes });
    }
    let longest = texts(operation).map(str::len).max().unwrap_or_default();
    if longest > TEXT_BYTES_MAX {
        return Err(HistoryError::Text { bytes: longest });
    }
    Ok(())
}

fn texts(operation: &Operation) -> impl Iterator<Item = &str> {
    let asked = match &operation.ask {
        Ask::Cas { from, to } => [Some(from), Some(to)],
        Ask::Remove(value) | Ask::Contains(value) => [Some(value), None],
        ask => [ask.brings(), None],
    };
    let told = match &operation.outcome {
        Outcome::Ok(seen) => text(&seen.value),
        Outcome::Failed(why) => Some(why.as_str()),
        Outcome::Unknown => None,
    };
    asked.into_iter().flatten().filter_map(text).chain(told)
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(begin_us: u64) -> Operation {
        Operation::begun(1, "k", begin_us, Ask::Write(Value::Int(5)))
    }

    #[test]
    fn lines_are_read_back_as_they_were_written() {
        let cas = Ask::Cas {
            from: Value::Nothing,
            to: "x".into(),
        };
        let history = History::of([
            write(1).ok(2, Value::Nothing).at_version(1),
            Operation::begun(2, "k", 1, Ask::Read).ok(9, "a\nb"),
            Operation::begun(2, "k", 1, cas).unknown(7),
            write(3).failed(4, "503"),
            Operation::begun(2, "q", 1, Ask::Pop).ok(1, Value::Nothing),
        ])
        .unwrap();
        let lines = history.to_lines();
        assert_eq!(lines.lines().count(), 5);
        assert_eq!(History::parse(&lines).unwrap(), history);
        assert_eq!(
            lines.lines().next().unwrap(),
            r#"{"client":1,"key":"k","begin_us":1,"end_us":2,"ask":{"write":5},"outcome":{"ok":{"version":1}}}"#
        );
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let good = History::of([write(1)]).unwrap().to_lines();
        let error = |line: &str| {
            let text = format!("{good}\n{line}\n");
            History::parse(&text).unwrap_err().to_string()
        };
        let wrong = good.trim().replace("write", "wriet");
        let said = error(&wrong);
        assert!(
            said.starts_with("line 3 of the history: unknown variant `wriet`"),
            "{said}"
        );
        assert!(said.contains("at column"), "{said}");
        let said = error(&good.trim().replace("\"end_us\":1", "\"end_us\":0"));
        assert!(
            said.contains("line 3") && said.contains("before it begins"),
            "{said}"
        );
        let said = error(&good.trim().replace("\"client\"", "\"cleint\""));
        assert!(said.contains("unknown field `cleint`"), "{said}");
        assert!(error("{").contains("line 3"));
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        let mut history = History::new();
        let asked = Operation::begun(1, "k", 1, Ask::Insert(long.as_str().into()));
        let told = write(1).ok(2, long.as_str());
        for operation in [asked, told, write(1).failed(2, &long)] {
            let bytes = TEXT_BYTES_MAX + 1;
            assert_eq!(history.push(operation), Err(HistoryError::Text { bytes }));
        }
        let keyless = Operation::begun(1, "", 1, Ask::Read);
        assert_eq!(history.push(keyless), Err(HistoryError::Key { bytes: 0 }));
        assert!(history.operations().is_empty());
    }
}
