//! A CSV file as an external table.

use crate::sql::{identifier, text};

/// A CSV file that every executor can read, as a table. The file must be one that any CSV reader reads alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvTable {
    /// The name of the table, which no other table of the session may have.
    pub name: String,
    /// The URL of the file, percent-encoded.
    pub location: String,
    /// The delimiter between fields.
    pub delimiter: char,
    /// Whether the first line names the columns.
    pub has_header: bool,
    /// All columns of the file, in order. Their names are `c0`, `c1` and so on.
    pub columns: Vec<TableColumn>,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableColumn {
    /// Texts; an empty field is null.
    Text,
    /// Decimals with so many digits, and so many of these behind the point; an empty field is null.
    Decimal {
        /// All digits, at most 38.
        precision: u32,
        /// Digits behind the point.
        scale: u32,
    },
}

impl CsvTable {
    /// The name of the column at a position, from 0.
    #[must_use]
    pub fn column(position: usize) -> String {
        format!("c{position}")
    }

    /// The statement that declares the table.
    #[must_use]
    pub fn create(&self) -> String {
        let columns = self.columns.iter().enumerate().map(|(at, column)| {
            let kind = match column {
                TableColumn::Text => "VARCHAR".to_owned(),
                TableColumn::Decimal { precision, scale } => format!("DECIMAL({precision}, {scale})"),
            };
            format!("{} {kind}", Self::column(at))
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        // A file with another ending is a CSV all the same, and none is unpacked.
        format!(
            "CREATE EXTERNAL TABLE {} ({columns}) STORED AS CSV LOCATION {} OPTIONS ('format.has_header' '{}', \
             'format.delimiter' {}, 'format.newlines_in_values' 'false')",
            identifier(&self.name),
            text(&self.location),
            self.has_header,
            text(&self.delimiter.to_string()),
        )
    }

    /// The statement that forgets it.
    #[must_use]
    pub fn drop(name: &str) -> String {
        format!("DROP TABLE IF EXISTS {}", identifier(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_names_its_columns_by_position() {
        let table = CsvTable {
            name: "t1".to_owned(),
            location: "http://a/read/it's.csv".to_owned(),
            delimiter: ';',
            has_header: true,
            columns: vec![TableColumn::Text, TableColumn::Decimal { precision: 9, scale: 2 }],
        };
        assert_eq!(
            table.create(),
            "CREATE EXTERNAL TABLE \"t1\" (c0 VARCHAR, c1 DECIMAL(9, 2)) STORED AS CSV LOCATION 'http://a/read/it''s.csv' \
             OPTIONS ('format.has_header' 'true', 'format.delimiter' ';', 'format.newlines_in_values' 'false')"
        );
        assert_eq!(CsvTable::drop("t1"), "DROP TABLE IF EXISTS \"t1\"");
    }
}
