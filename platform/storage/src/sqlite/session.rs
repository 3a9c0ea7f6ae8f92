//! Statements on one SQLite connection.

use std::cell::RefCell;
use std::collections::HashMap;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, ToSql};

use super::error::translate;
use crate::sql::number_parameters;
use crate::tx::Text;
use crate::{Error, ErrorKind, Param, Result, Row, ToParam, Value};

/// What a transaction may do on a SQLite connection. None of it waits.
pub(crate) trait Session {
    fn execute(&self, text: Text<'_>, params: &[&dyn ToParam]) -> Result<u64>;
    fn query(&self, text: Text<'_>, params: &[&dyn ToParam], rows_max: usize) -> Result<Vec<Row>>;
    fn batch(&self, text: &str) -> Result<()>;
    fn prepare(&self, text: &str) -> Result<()>;
}

/// A connection with its prepared statements.
///
/// A text of the program's own is known by its address, so finding its statement costs one small hash.
pub(crate) struct SqliteSession<'c> {
    conn: &'c Connection,
    statements: RefCell<HashMap<(usize, usize), Statement<'c>>>,
}

impl<'c> SqliteSession<'c> {
    pub(crate) fn new(conn: &'c Connection) -> Self {
        Self {
            conn,
            statements: RefCell::default(),
        }
    }

    fn with<T>(
        &self,
        text: Text<'_>,
        params: &[&dyn ToParam],
        run: impl FnOnce(&mut Statement<'_>) -> Result<T>,
    ) -> Result<T> {
        match text {
            Text::Static(own) => {
                let mut statements = self.statements.borrow_mut();
                let key = (own.as_ptr().addr(), own.len());
                let statement = match statements.entry(key) {
                    std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                    std::collections::hash_map::Entry::Vacant(entry) => {
                        let numbered = number_parameters(own);
                        entry.insert(self.conn.prepare(&numbered).map_err(translate)?)
                    }
                };
                bind(statement, params)?;
                run(statement)
            }
            Text::Dynamic(text) => {
                let numbered = number_parameters(text);
                let mut statement = self.conn.prepare_cached(&numbered).map_err(translate)?;
                bind(&mut statement, params)?;
                run(&mut statement)
            }
        }
    }
}

impl Session for SqliteSession<'_> {
    fn execute(&self, text: Text<'_>, params: &[&dyn ToParam]) -> Result<u64> {
        self.with(text, params, |statement| {
            if statement.column_count() == 0 {
                let changed = statement.raw_execute().map_err(translate)?;
                return Ok(if statement.readonly() {
                    0
                } else {
                    changed as u64
                });
            }
            let mut rows = statement.raw_query();
            let mut seen = 0;
            while rows.next().map_err(translate)?.is_some() {
                seen += 1;
            }
            Ok(seen)
        })
    }

    fn query(&self, text: Text<'_>, params: &[&dyn ToParam], rows_max: usize) -> Result<Vec<Row>> {
        self.with(text, params, |statement| {
            let columns = statement.column_count();
            let mut rows = statement.raw_query();
            let mut out = Vec::new();
            // Read to the end even when fewer are wanted: a statement that writes must be finished.
            while let Some(row) = rows.next().map_err(translate)? {
                if out.len() < rows_max {
                    out.push(read(row, columns)?);
                }
            }
            Ok(out)
        })
    }

    fn batch(&self, text: &str) -> Result<()> {
        self.conn.execute_batch(text).map_err(translate)
    }

    fn prepare(&self, text: &str) -> Result<()> {
        self.conn
            .prepare(&number_parameters(text))
            .map(drop)
            .map_err(translate)
    }
}

fn bind(statement: &mut Statement<'_>, params: &[&dyn ToParam]) -> Result<()> {
    let (wanted, given) = (statement.parameter_count(), params.len());
    if wanted != given {
        return Err(Error::new(
            ErrorKind::Internal,
            format!("statement has {wanted} parameters, {given} were given"),
        ));
    }
    for (param, index) in params.iter().zip(1..) {
        statement
            .raw_bind_parameter(index, Bound(param.to_param()))
            .map_err(translate)?;
    }
    Ok(())
}

struct Bound<'a>(Param<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match &self.0 {
            Param::Null => ValueRef::Null,
            Param::Int(n) => ValueRef::Integer(*n),
            Param::Real(n) => ValueRef::Real(*n),
            Param::Text(text) => ValueRef::Text(text.as_bytes()),
            Param::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn read(row: &rusqlite::Row<'_>, columns: usize) -> Result<Row> {
    let mut values = Vec::with_capacity(columns);
    for index in 0..columns {
        values.push(match row.get_ref(index).map_err(translate)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(n) => Value::Int(n),
            ValueRef::Real(n) => Value::Real(n),
            ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        });
    }
    Ok(Row(values))
}
