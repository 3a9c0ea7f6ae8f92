//! PostgreSQL's errors in the words of both engines.

use tokio_postgres::error::{DbError, SqlState};

use crate::{Error, ErrorKind};

/// What went wrong, as [`Error`].
pub(crate) fn translate(error: &tokio_postgres::Error) -> Error {
    let Some(db) = error.as_db_error() else {
        return Error::new(
            transport_kind(error),
            format!("postgres: {}", with_source(error)),
        );
    };
    let mut message = format!("postgres: {}", db.message());
    if let Some(hint) = db.hint() {
        message.push_str("; ");
        message.push_str(hint);
    }
    Error::new(db_kind(db), message)
}

fn transport_kind(error: &tokio_postgres::Error) -> ErrorKind {
    let source = std::error::Error::source(error);
    if source.is_some_and(|s| {
        s.is::<super::value::Unfit>() || s.is::<tokio_postgres::types::WrongType>()
    }) {
        return ErrorKind::Type;
    }
    let io = source.is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
    // Its kinds are private; what is neither a value nor a statement is the connection.
    if io || error.is_closed() || error.to_string().starts_with("error connecting") {
        return ErrorKind::Unavailable;
    }
    ErrorKind::Internal
}

fn with_source(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |s| format!("{error}: {s}"))
}

fn db_kind(error: &DbError) -> ErrorKind {
    let code = error.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        return ErrorKind::UniqueViolation {
            constraint: unique_constraint(error),
        };
    }
    let state = code.code();
    match state {
        "23503" => ErrorKind::ForeignKeyViolation,
        "23514" | "23502" => ErrorKind::CheckViolation,
        // Serialisation failure, deadlock, and a plan that a migration has just outdated.
        "40001" | "40P01" => ErrorKind::Serialization,
        "0A000" if error.message().contains("cached plan") => ErrorKind::Serialization,
        "57014" | "55P03" => ErrorKind::Timeout,
        "53100" => ErrorKind::Full,
        "53300" | "57P01" | "57P02" | "57P03" | "25P03" => ErrorKind::Unavailable,
        "22P02" | "42804" | "22003" => ErrorKind::Type,
        "28P01" | "28000" | "3D000" => ErrorKind::Config,
        _ if state.starts_with("08") => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    }
}

/// `table.column[,column]` from the detail `Key (a, b)=(1, 2) already exists`, which names the columns
/// in every language; the name of the index where it is over an expression.
fn unique_constraint(error: &DbError) -> String {
    let columns = error.detail().and_then(key_columns);
    match (error.table(), columns) {
        (Some(table), Some(columns)) => format!("{table}.{columns}"),
        _ => error.constraint().unwrap_or_default().to_owned(),
    }
}

fn key_columns(detail: &str) -> Option<String> {
    let (_, rest) = detail.split_once('(')?;
    let (columns, _) = rest.split_once(")=(")?;
    (!columns.contains('(')).then(|| columns.replace(", ", ","))
}

#[cfg(test)]
mod tests {
    use super::key_columns;

    #[test]
    fn a_unique_constraint_is_named_by_its_columns() {
        let plain = key_columns("Key (a, b)=(1, 2) already exists.");
        assert_eq!(plain.as_deref(), Some("a,b"));
        assert_eq!(key_columns("Key (lower(a))=(x) already exists."), None);
    }
}
