//! Says things on standard output and standard error, for people or for programs.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

/// How to answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    pub(super) json: bool,
}

impl Output {
    /// The answer: `text` for people, `value` for programs.
    pub(super) fn say<T: Serialize>(self, text: &str, value: &T) -> Result<ExitCode> {
        if self.json {
            write_out(&format!("{}\n", serde_json::to_string(value)?));
        } else {
            write_out(&format!("{}\n", text.trim_end()));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What went wrong, in one line, on standard error.
    pub(super) fn error(self, error: &anyhow::Error) {
        let text = format!("{error:#}").replace('\n', " ");
        let line = if self.json {
            format!("{}\n", serde_json::json!({ "error": text }))
        } else {
            format!("tradewind: {text}\n")
        };
        // Nobody is left to be told when standard error is gone.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

/// Writes to standard output; a reader that has gone away (`| head`) is no failure.
pub(super) fn write_out(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Columns of text, each as wide as its widest cell.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|r| r.get(column))
            .map(|c| c.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The moment as people write it, in UTC.
pub(super) fn date(at: kernel::Timestamp) -> String {
    jiff::Timestamp::from_second(at.secs()).map_or_else(|_| "unknown".to_owned(), |t| t.to_string())
}
