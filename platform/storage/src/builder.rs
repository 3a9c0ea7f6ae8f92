//! A small builder for the statements whose text depends on the request: list filters, `IN (..)`.

use std::fmt::Write as _;

use crate::{Dialect, ToParam, Value};

/// A statement that grows: text that the program wrote, and values that become parameters.
///
/// Text comes as `&'static str`, so nothing that a client sent can become part of it.
#[derive(Debug, Clone, Default)]
pub struct SqlBuilder {
    text: String,
    params: Vec<Value>,
}

impl SqlBuilder {
    /// A statement that begins with `text`.
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            params: Vec::new(),
        }
    }

    /// Appends text.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends the text of one engine.
    pub fn push_for(
        &mut self,
        dialect: Dialect,
        sqlite: &'static str,
        postgres: &'static str,
    ) -> &mut Self {
        self.push(match dialect {
            Dialect::Sqlite => sqlite,
            Dialect::Postgres => postgres,
        })
    }

    /// Appends a parameter.
    pub fn bind(&mut self, value: impl ToParam) -> &mut Self {
        self.params.push(value.to_param().into());
        write!(self.text, "${}", self.params.len()).expect("writing to a string cannot fail");
        self
    }

    /// Appends `($1, $2, ...)`; `(NULL)`, which nothing is in, when there is no value.
    pub fn bind_list<T: ToParam>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self {
        let mut separator = "(";
        for value in values {
            self.push(separator).bind(value);
            separator = ", ";
        }
        self.push(if separator == "(" { "(NULL)" } else { ")" })
    }

    /// The text so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parameters so far.
    #[must_use]
    pub fn params(&self) -> &[Value] {
        &self.params
    }
}

#[cfg(test)]
mod tests {
    use super::SqlBuilder;
    use crate::Value;

    #[test]
    fn values_become_numbered_parameters() {
        let mut sql = SqlBuilder::new("SELECT a FROM t WHERE b = ");
        sql.bind("x")
            .push(" AND c IN ")
            .bind_list([1_i64, 2])
            .push(" AND d IN ");
        sql.bind_list(Vec::<i64>::new());
        assert_eq!(
            sql.text(),
            "SELECT a FROM t WHERE b = $1 AND c IN ($2, $3) AND d IN (NULL)"
        );
        assert_eq!(
            sql.params(),
            [Value::from("x"), Value::Int(1), Value::Int(2)]
        );
    }
}
