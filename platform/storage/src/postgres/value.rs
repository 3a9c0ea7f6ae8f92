//! Values on PostgreSQL's wire.

use std::error::Error as StdError;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::{Param, Row, Value};

/// A parameter that the column's type cannot hold, or a column that is none of our types.
#[derive(Debug, thiserror::Error)]
#[error("{what} does not fit {wanted}; write CAST(.. AS BIGINT), TEXT or DOUBLE PRECISION")]
pub(crate) struct Unfit {
    what: &'static str,
    wanted: String,
}

type Boxed = Box<dyn StdError + Sync + Send>;

fn unfit(what: &'static str, ty: &Type) -> Boxed {
    Box::new(Unfit {
        what,
        wanted: ty.to_string(),
    })
}

/// A parameter as the driver takes it.
#[derive(Debug)]
pub(crate) struct Bound<'a>(pub(crate) Param<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        match &self.0 {
            Param::Null => Ok(IsNull::Yes),
            Param::Int(n) => int(*n, ty, out),
            Param::Real(n) => match *ty {
                Type::FLOAT8 => n.to_sql(ty, out),
                _ => Err(unfit("a float", ty)),
            },
            Param::Text(text) => match *ty {
                Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
                    text.as_ref().to_sql(ty, out)
                }
                _ => Err(unfit("text", ty)),
            },
            Param::Blob(bytes) => match *ty {
                Type::BYTEA => bytes.to_sql(ty, out),
                _ => Err(unfit("a blob", ty)),
            },
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn int(n: i64, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
    match *ty {
        Type::INT8 => n.to_sql(ty, out),
        Type::INT4 => i32::try_from(n)
            .map_err(|_| unfit("an integer", ty))?
            .to_sql(ty, out),
        Type::INT2 => i16::try_from(n)
            .map_err(|_| unfit("an integer", ty))?
            .to_sql(ty, out),
        Type::BOOL => (n != 0).to_sql(ty, out),
        _ => Err(unfit("an integer", ty)),
    }
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(ty, raw)?.into()),
            Type::OID => Self::Int(u32::from_sql(ty, raw)?.into()),
            Type::BOOL => Self::Int(bool::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Self::Real(f64::from_sql(ty, raw)?),
            Type::FLOAT4 => Self::Real(f32::from_sql(ty, raw)?.into()),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
                Self::Text(String::from_sql(ty, raw)?)
            }
            Type::BYTEA => Self::Blob(raw.to_vec()),
            Type::VOID => Self::Null,
            _ => return Err(unfit("a column", ty)),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Boxed> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A row, owned.
pub(crate) fn read(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    (0..row.len())
        .map(|index| row.try_get::<_, Value>(index))
        .collect::<Result<_, _>>()
        .map(Row)
}
