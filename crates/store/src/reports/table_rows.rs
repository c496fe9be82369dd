//! Rows of the tables `report_<name>`, for people and programs: some of them in any order, or all one after another.

use super::table::{ReportTable, comma_separated};
use crate::{Error, GroupRow, ReportValue, Store, sqlite::each_dynamic_row};

/// The order of a report's rows. Nulls come last in both directions, and rows with equal values are in order of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReportOrder<'a> {
    /// By the groups (bytes), which is the order of the table: nothing is sorted.
    #[default]
    Key,
    /// By a column of the table, the smallest value first.
    Ascending(&'a str),
    /// By a column of the table, the greatest value first.
    Descending(&'a str),
}

impl Store {
    /// Passes at most `limit` rows of a report to `take` as they are read, after skipping `offset`. A limit of -1 means all.
    ///
    /// # Errors
    /// Those of `take`; [`Error::Query`], for instance when the table or one of its columns does not exist.
    pub fn each_report_row<E: From<Error>>(
        &mut self,
        table: &ReportTable,
        order: ReportOrder<'_>,
        (limit, offset): (i64, i64),
        mut take: impl FnMut(GroupRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let columns = comma_separated(table.columns().map(|column| table.column(column)));
        let query = format!("SELECT {columns} FROM {}{} LIMIT ? OFFSET ?", table.quoted(), order_by(table, order));
        let action = || format!("read the report {:?}", table.name);
        each_dynamic_row(&mut self.connection, query, (limit, offset), action, |mut values| {
            let metrics = values.split_off(table.group_by.len().min(values.len()));
            take(GroupRow { group: values.into_iter().map(ReportValue::into_text).collect(), values: metrics })
        })
    }

    /// At most `limit` rows of a report, after skipping `offset`.
    ///
    /// # Errors
    /// As [`Store::each_report_row`].
    pub fn report_rows(
        &mut self,
        table: &ReportTable,
        order: ReportOrder<'_>,
        part: (i64, i64),
    ) -> Result<Vec<GroupRow>, Error> {
        let mut rows = Vec::new();
        self.each_report_row(table, order, part, |row| {
            rows.push(row);
            Ok::<_, Error>(())
        })?;
        Ok(rows)
    }
}

impl ReportValue {
    /// The text of a key column.
    fn into_text(self) -> String {
        match self {
            ReportValue::Text(text) => text,
            ReportValue::Integer(number) => number.to_string(),
            ReportValue::Real(number) => number.to_string(),
            ReportValue::Null => String::new(),
        }
    }
}

fn order_by(table: &ReportTable, order: ReportOrder<'_>) -> String {
    let keys = table.group_by.iter().map(|column| table.column(column));
    let by = match order {
        ReportOrder::Key => Vec::new(),
        ReportOrder::Ascending(column) => by_column(table, column, "ASC"),
        ReportOrder::Descending(column) => by_column(table, column, "DESC"),
    };
    match by.into_iter().chain(keys).collect::<Vec<_>>() {
        all if all.is_empty() => String::new(),
        all => format!(" ORDER BY {}", all.join(", ")),
    }
}

/// The terms that order by one column. A metric is ordered by its size first: an integer of more than 64 bits is stored as text,
/// which SQLite would put after every number.
fn by_column(table: &ReportTable, column: &str, direction: &str) -> Vec<String> {
    let is_key = table.group_by.iter().any(|key| key == column);
    let column = table.column(column);
    if is_key {
        return vec![format!("{column} {direction}")];
    }
    vec![format!("{column} IS NULL"), format!("CAST({column} AS REAL) {direction}"), format!("{column} {direction}")]
}
