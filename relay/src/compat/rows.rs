//! The rows of a task, as its result repeats them.

use csv::StringRecord;
use serde::{Serialize, Serializer, ser::SerializeMap};

/// Columns that a task must have.
const REQUIRED: [&str; 2] = ["name", "value"];
/// The member of a row that says when it was read.
const READ_AT: &str = "processed_at";

/// The rows of a task. Each is written as an object of texts, in the order of the columns.
#[derive(Debug)]
pub(super) struct Rows {
    header: StringRecord,
    rows: Vec<StringRecord>,
    read_at: String,
}

impl Rows {
    /// Reads the CSV of a task.
    ///
    /// # Errors
    /// It lacks a required column.
    pub(super) fn read(csv: &str, read_at: String) -> Result<Self, String> {
        // Rows of any length: the master rejects those that do not fit, and the producers' own reader took them.
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv.as_bytes());
        let unreadable = |error: csv::Error| format!("its CSV cannot be read: {error}");
        let header = reader.headers().map_err(unreadable)?.clone();
        for column in REQUIRED {
            if !header.iter().any(|name| name == column) {
                return Err(format!("its CSV has no column `{column}`; `name` and `value` are required"));
            }
        }
        let rows = reader.into_records().collect::<Result<_, _>>().map_err(unreadable)?;
        Ok(Self { header, rows, read_at })
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|cells| Row { rows: self, cells }))
    }
}

/// One row. A missing cell is an empty text, and what is behind the last column is left out.
struct Row<'a> {
    rows: &'a Rows,
    cells: &'a StringRecord,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Rows { header, read_at, .. } = self.rows;
        let mut members = serializer.serialize_map(Some(header.len() + 1))?;
        for (at, column) in header.iter().enumerate() {
            members.serialize_entry(column, self.cells.get(at).unwrap_or_default())?;
        }
        // Last, so that it counts if there is a column of this name.
        members.serialize_entry(READ_AT, read_at)?;
        members.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_objects_of_texts_in_the_order_of_the_columns() {
        let check = |csv: &str, expect: &[&str]| {
            let rows = Rows::read(csv, "T".into()).unwrap();
            let members = expect.iter().map(|members| format!("{{{members},\"processed_at\":\"T\"}}"));
            let expect = format!("[{}]", members.collect::<Vec<_>>().join(","));
            assert_eq!(serde_json::to_string(&rows).unwrap(), expect, "{csv}");
        };
        check("name,value\n", &[]);
        check("value,x,name\n1.50,,\"a,\"\"b\"\n", &[r#""value":"1.50","x":"","name":"a,\"b""#]);
        check("name,value\r\n\r\n a ,\"line\nend\"", &[r#""name":" a ","value":"line\nend""#]);
        check("name,value\na\nb,2,3\n", &[r#""name":"a","value":"""#, r#""name":"b","value":"2""#]);
    }

    #[test]
    fn a_missing_column_is_named() {
        for (csv, column) in [("", "name"), ("name,Value\n", "value"), ("value\n", "name"), ("name;value\n", "name")] {
            let why = Rows::read(csv, String::new()).unwrap_err();
            assert!(why.contains(&format!("no column `{column}`")), "{csv}: {why}");
        }
    }
}
