//! SQLite's errors in the words of both engines.

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::{Error, ErrorKind};

/// What went wrong, as [`Error`].
pub(crate) fn translate(error: rusqlite::Error) -> Error {
    let kind = match &error {
        rusqlite::Error::SqliteFailure(failure, message) => {
            failure_kind(failure, message.as_deref().unwrap_or_default())
        }
        rusqlite::Error::SqlInputError { .. } => ErrorKind::Internal,
        rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::FromSqlConversionFailure(..) => {
            ErrorKind::Type
        }
        _ => ErrorKind::Internal,
    };
    Error::new(kind, format!("sqlite: {error}"))
}

/// Why a COMMIT failed. When writing or syncing the log fails, its last frame may have reached the
/// disk all the same, and after a crash the transaction would be there.
pub(crate) fn translate_commit(error: rusqlite::Error) -> Error {
    let code = error.sqlite_error_code();
    let cause = translate(error);
    match (code, cause.kind()) {
        (_, ErrorKind::ForeignKeyViolation) => cause,
        (Some(ErrorCode::SystemIoFailure), _) => Error::new(
            ErrorKind::CommitUnknown,
            format!("the disk failed while committing; it may have taken effect: {cause}"),
        ),
        _ => Error::new(
            ErrorKind::CommitFailed,
            format!("commit failed and was rolled back: {cause}"),
        ),
    }
}

fn failure_kind(failure: &ffi::Error, message: &str) -> ErrorKind {
    match failure.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => {
            return ErrorKind::UniqueViolation {
                constraint: unique_constraint(message),
            };
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => return ErrorKind::ForeignKeyViolation,
        ffi::SQLITE_CONSTRAINT_CHECK | ffi::SQLITE_CONSTRAINT_NOTNULL => {
            return ErrorKind::CheckViolation;
        }
        ffi::SQLITE_CONSTRAINT_DATATYPE => return ErrorKind::Type,
        _ => {}
    }
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => ErrorKind::Busy,
        ErrorCode::DiskFull | ErrorCode::SystemIoFailure => ErrorKind::Full,
        ErrorCode::CannotOpen => ErrorKind::Config,
        ErrorCode::OperationInterrupted => ErrorKind::Timeout,
        ErrorCode::TypeMismatch => ErrorKind::Type,
        _ => ErrorKind::Internal,
    }
}

/// `UNIQUE constraint failed: t.a, t.b` is `t.a,b`; `... index 'name'` is `name`.
fn unique_constraint(message: &str) -> String {
    let what = message
        .split_once("failed: ")
        .map_or(message, |(_, what)| what);
    if let Some(index) = what.strip_prefix("index '") {
        return index.trim_end_matches('\'').to_owned();
    }
    let mut columns = what.split(", ");
    let mut name = columns.next().unwrap_or_default().to_owned();
    for column in columns {
        name.push(',');
        name.push_str(column.rsplit('.').next().unwrap_or(column));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unique_constraint_is_named_by_its_table_and_columns() {
        assert_eq!(
            unique_constraint("UNIQUE constraint failed: t.a, t.b"),
            "t.a,b"
        );
        assert_eq!(
            unique_constraint("UNIQUE constraint failed: index 't_lower'"),
            "t_lower"
        );
    }

    #[test]
    fn a_commit_that_the_disk_broke_may_have_taken_effect() {
        let commit = |code| {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            translate_commit(failure).kind().clone()
        };
        for code in [
            ffi::SQLITE_IOERR,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_IOERR_WRITE,
        ] {
            assert_eq!(commit(code), ErrorKind::CommitUnknown, "{code}");
        }
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_CONSTRAINT] {
            assert_eq!(commit(code), ErrorKind::CommitFailed, "{code}");
        }
        let deferred = commit(ffi::SQLITE_CONSTRAINT_FOREIGNKEY);
        assert_eq!(deferred, ErrorKind::ForeignKeyViolation);
    }
}
