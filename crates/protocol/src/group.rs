//! A column to group by: its name alone, or a date with the part of the calendar that counts.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// A column to group by. A name alone is written as a text, so that programs which know no dates read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupSpec {
    /// The texts of a column.
    Column(String),
    /// The dates of a column.
    Date(DateGroup),
}

/// The dates of a column, by a part of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateGroup {
    /// The report's name for the column.
    pub column: String,
    /// The part of the calendar.
    pub by: CalendarPart,
    /// The name in the results; that of the column if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the day stands before the month in dates such as `05/06/2026`. If left out, such a cell is a reject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_first: Option<bool>,
}

/// A part of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalendarPart {
    /// `2026-05-31`.
    Day,
    /// The week of ISO 8601, which begins on Monday: `2026-W22`.
    Week,
    /// `2026-05`.
    Month,
    /// `2026-Q2`.
    Quarter,
    /// `2026`.
    Year,
}

impl GroupSpec {
    /// The name in the results.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Column(name) => name,
            Self::Date(DateGroup { column, name, .. }) => name.as_ref().unwrap_or(column),
        }
    }

    /// The report's name for the column.
    #[must_use]
    pub fn column(&self) -> &str {
        match self {
            Self::Column(column) | Self::Date(DateGroup { column, .. }) => column,
        }
    }
}

impl From<&str> for GroupSpec {
    fn from(column: &str) -> Self {
        Self::Column(column.to_owned())
    }
}

impl Serialize for GroupSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Column(column) => column.serialize(serializer),
            Self::Date(date) => date.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for GroupSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GroupVisitor)
    }
}

/// Reads a text or a map. An untagged enum would not say what is wrong with a map.
struct GroupVisitor;

impl<'de> Visitor<'de> for GroupVisitor {
    type Value = GroupSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column, or a table such as { column = \"Date\", by = \"month\" }")
    }

    fn visit_str<E: de::Error>(self, column: &str) -> Result<GroupSpec, E> {
        Ok(column.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<GroupSpec, A::Error> {
        DateGroup::deserialize(MapAccessDeserializer::new(map)).map(GroupSpec::Date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_stays_a_text_and_a_date_is_an_object() {
        let check = |json: &str, name: &str, column: &str| {
            let read: GroupSpec = serde_json::from_str(json).unwrap();
            assert_eq!((read.name(), read.column()), (name, column));
            assert_eq!(serde_json::to_string(&read).unwrap(), json);
        };
        check(r#""Shop""#, "Shop", "Shop");
        check(r#"{"column":"Date","by":"month"}"#, "Date", "Date");
        check(r#"{"column":"Date","by":"week","name":"KW","day_first":true}"#, "KW", "Date");
    }

    #[test]
    fn a_wrong_group_says_what_is_wrong() {
        let check = |json: &str, part: &str| {
            let error = serde_json::from_str::<GroupSpec>(json).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check(r#"{"column":"Date"}"#, "missing field `by`");
        check(r#"{"column":"Date","by":"hour"}"#, "unknown variant `hour`, expected one of `day`, `week`, `month`");
        check(r#"{"column":"Date","by":"day","per":1}"#, "unknown field `per`");
        check("1", "a column, or a table such as");
        // An older program, which reads texts only, refuses the request and computes nothing.
        assert!(serde_json::from_str::<Vec<String>>(r#"[{"column":"Date","by":"day"}]"#).is_err());
    }
}
