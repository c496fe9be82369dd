//! Cells of any table between the store and the printer; they depend on neither's ways.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use tributary_store::ReportValue;

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// NULL, which differs from the empty text.
    Null,
    /// A flag.
    Flag(bool),
    /// A count or a size.
    Number(i64),
    /// The digits of any other number, as JSON writes them.
    Digits(String),
    /// A text as stored.
    Text(String),
}

impl Cell {
    /// Returns the cell as text; `None` for null.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Cell::Null => None,
            Cell::Flag(flag) => Some(flag.to_string().into()),
            Cell::Number(number) => Some(number.to_string().into()),
            Cell::Digits(text) | Cell::Text(text) => Some(text.into()),
        }
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Cell {
        Cell::Flag(flag)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Cell {
        Cell::Number(number)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Cell {
        serde_json::to_string(&number).map_or(Cell::Null, Cell::Digits)
    }
}

impl From<ReportValue> for Cell {
    fn from(value: ReportValue) -> Cell {
        match (value.digits(), value) {
            (Some(digits), _) => Cell::Digits(digits),
            (None, ReportValue::Text(text)) => Cell::Text(text),
            (None, _) => Cell::Null,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<Option<i64>> for Cell {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::from)
    }
}

impl From<Option<String>> for Cell {
    fn from(text: Option<String>) -> Cell {
        text.map_or(Cell::Null, Cell::Text)
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::Null => serializer.serialize_none(),
            Cell::Flag(flag) => serializer.serialize_bool(*flag),
            Cell::Number(number) => serializer.serialize_i64(*number),
            // As they are: a number of 64 bits would lose some.
            Cell::Digits(digits) => serde_json::value::RawValue::from_string(digits.clone())
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
            Cell::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// One row as an object.
pub(crate) struct Object<'a> {
    /// The names of its members.
    pub(crate) columns: &'a [String],
    /// A value for each name.
    pub(crate) cells: &'a [Cell],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for (column, cell) in self.columns.iter().zip(self.cells) {
            map.serialize_entry(column, cell)?;
        }
        map.end()
    }
}
