//! Values as both engines know them: integers are `i64`, then floats, text, blobs and null.

use std::borrow::Cow;

use kernel::{Id, Timestamp};

use crate::{Error, ErrorKind, Result};

/// A value that was read, or that is to be written later.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// A whole number; `BIGINT`.
    Int(i64),
    /// A floating-point number; `DOUBLE PRECISION`.
    Real(f64),
    /// Text; `TEXT`.
    Text(String),
    /// Bytes; `BLOB` or `BYTEA`.
    Blob(Vec<u8>),
}

/// A parameter of a statement, borrowed where that saves a copy.
#[derive(Debug, Clone, PartialEq)]
pub enum Param<'a> {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Blob(&'a [u8]),
}

/// What may be a parameter.
pub trait ToParam {
    /// The value as the engines know it.
    fn to_param(&self) -> Param<'_>;
}

/// What may be read from a column.
pub trait FromValue: Sized {
    /// The value, or none when it has another type.
    fn from_value(value: &Value) -> Option<Self>;
}

/// One row of an answer, owned.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub(crate) Vec<Value>);

impl Row {
    /// The value of the column at `index`, counted from zero.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T> {
        let value = self.0.get(index).ok_or_else(|| {
            let has = self.0.len();
            Error::new(
                ErrorKind::Type,
                format!("row has {has} columns, none at {index}"),
            )
        })?;
        T::from_value(value).ok_or_else(|| {
            let (is, wanted) = (value.type_name(), std::any::type_name::<T>());
            Error::new(
                ErrorKind::Type,
                format!("column {index} is {is}, not {wanted}"),
            )
        })
    }

    /// How many columns there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no column.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Value {
    pub(crate) const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Int(_) => "an integer",
            Self::Real(_) => "a float",
            Self::Text(_) => "text",
            Self::Blob(_) => "a blob",
        }
    }
}

impl From<Param<'_>> for Value {
    fn from(param: Param<'_>) -> Self {
        match param {
            Param::Null => Self::Null,
            Param::Int(n) => Self::Int(n),
            Param::Real(n) => Self::Real(n),
            Param::Text(text) => Self::Text(text.into_owned()),
            Param::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }
}

impl ToParam for Value {
    fn to_param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Int(n) => Param::Int(*n),
            Self::Real(n) => Param::Real(*n),
            Self::Text(text) => Param::Text(Cow::Borrowed(text)),
            Self::Blob(bytes) => Param::Blob(bytes),
        }
    }
}

impl FromValue for Value {
    fn from_value(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl ToParam for $type {
            fn to_param(&self) -> Param<'_> {
                Param::Int(i64::from(*self))
            }
        }
        impl FromValue for $type {
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Int(n) => Self::try_from(*n).ok(),
                    _ => None,
                }
            }
        }
        impl From<$type> for Value {
            fn from(n: $type) -> Self {
                Self::Int(i64::from(n))
            }
        }
    )*};
}
integers!(i64, i32, i16, u32, u16, u8);

/// A type as a parameter, from a value, and into a value, from three short expressions.
macro_rules! scalar {
    ($type:ty, |$this:ident| $param:expr, $pattern:pat => $read:expr) => {
        impl ToParam for $type {
            fn to_param(&self) -> Param<'_> {
                let $this = self;
                $param
            }
        }
        impl FromValue for $type {
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    $pattern => $read,
                    _ => None,
                }
            }
        }
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                value.to_param().into()
            }
        }
    };
}
scalar!(bool, |b| Param::Int(i64::from(*b)), Value::Int(n) => Some(*n != 0));
scalar!(f64, |n| Param::Real(*n), Value::Real(n) => Some(*n));
scalar!(String, |s| Param::Text(Cow::Borrowed(s)), Value::Text(s) => Some(s.clone()));
scalar!(Vec<u8>, |b| Param::Blob(b), Value::Blob(b) => Some(b.clone()));
scalar!(Timestamp, |t| Param::Int(t.0), Value::Int(n) => Some(Timestamp(*n)));
scalar!(Id, |id| Param::Text(Cow::Owned(id.to_string())), Value::Text(s) => s.parse().ok());
scalar!([u8; 32], |b| Param::Blob(b), Value::Blob(b) => b.as_slice().try_into().ok());

impl ToParam for str {
    fn to_param(&self) -> Param<'_> {
        Param::Text(Cow::Borrowed(self))
    }
}

impl ToParam for [u8] {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(self)
    }
}

impl<T: ToParam + ?Sized> ToParam for &T {
    fn to_param(&self) -> Param<'_> {
        (**self).to_param()
    }
}

impl<T: ToParam> ToParam for Option<T> {
    fn to_param(&self) -> Param<'_> {
        self.as_ref().map_or(Param::Null, ToParam::to_param)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
