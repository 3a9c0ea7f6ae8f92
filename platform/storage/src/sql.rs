//! The text of a statement: one for both engines, or one for each where it pays.

/// Which engine a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite, in this process.
    Sqlite,
    /// PostgreSQL, over a socket.
    Postgres,
}

impl Dialect {
    /// The name as it stands in metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// A statement with `$1`, `$2`, ... for its parameters, on both engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sql {
    /// What SQLite runs.
    pub sqlite: &'static str,
    /// What PostgreSQL runs.
    pub postgres: &'static str,
}

impl Sql {
    /// The same text on both engines.
    #[must_use]
    pub const fn both(text: &'static str) -> Self {
        Self {
            sqlite: text,
            postgres: text,
        }
    }

    /// A text for each engine.
    #[must_use]
    pub const fn of(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres }
    }

    /// The text for one engine.
    #[must_use]
    pub const fn text(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }
}

/// Declares statements, and the list of all of them for the test that prepares each (`Db::prepare_all`):
///
/// ```ignore
/// storage::statements! {
///     pub STATEMENTS;
///     GET = Sql::both("SELECT name FROM things WHERE id = $1");
///     NOW = Sql::of("SELECT unixepoch()", "SELECT extract(epoch FROM now())");
/// }
/// ```
#[macro_export]
macro_rules! statements {
    ($vis:vis $list:ident; $($(#[$meta:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$meta])* const $name: $crate::Sql = $sql;)+

        /// Every statement here whose text does not depend on the request.
        $vis const $list: &[$crate::Sql] = &[$($name),+];
    };
}

/// Rewrites `$N` to SQLite's `?N`, outside of quotes and comments.
///
/// SQLite reads a bare `$1` as a *named* parameter and numbers it by first appearance.
pub(crate) fn number_parameters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut quote = None;
    while let Some(c) = rest.next() {
        match quote {
            Some(end) if c == end => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == '-' && rest.peek() == Some(&'-') => quote = Some('\n'),
            None if c == '$' && rest.peek().is_some_and(char::is_ascii_digit) => {
                out.push('?');
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::number_parameters;

    #[test]
    fn parameters_are_numbered_and_quoted_text_is_left_alone() {
        assert_eq!(
            number_parameters("SELECT '$1', \"$2\", $12 -- $3 it's\n WHERE a = $1"),
            "SELECT '$1', \"$2\", ?12 -- $3 it's\n WHERE a = ?1"
        );
    }
}
