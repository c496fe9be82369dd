//! Rows of the tables `report_<name>`, for people and programs: some of them in any order, or all one after another.

use super::table::{ReportTable, comma_separated, quoted};
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
        let columns = table.columns().map(|column| table.column(column));
        let (columns, from) = match self.has_exact(table)? {
            true => (comma_separated(columns.chain(exact_columns(table))), with_exact(table)),
            false => (comma_separated(columns), table.quoted()),
        };
        let query = format!("SELECT {columns} FROM {from}{} LIMIT ? OFFSET ?", order_by(table, order));
        let action = || format!("read the report {:?}", table.name);
        let (keys, metrics) = (table.group_by.len(), table.metrics.len());
        each_dynamic_row(&mut self.connection, query, (limit, offset), action, |mut group| {
            let mut values = group.split_off(keys.min(group.len()));
            let exact = values.split_off(metrics.min(values.len()));
            for (value, exact) in values.iter_mut().zip(exact) {
                if let ReportValue::Text(digits) = exact {
                    *value = ReportValue::Decimal(digits);
                }
            }
            take(GroupRow { group: group.into_iter().map(ReportValue::into_text).collect(), values })
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
            ReportValue::Text(text) | ReportValue::Decimal(text) => text,
            ReportValue::Integer(number) => number.to_string(),
            ReportValue::Real(number) => number.to_string(),
            ReportValue::Null => String::new(),
        }
    }
}

/// The metrics of the table of exact decimals.
fn exact_columns(table: &ReportTable) -> impl Iterator<Item = String> {
    let exact = quoted(&table.exact_name());
    table.metrics.iter().map(move |metric| format!("{exact}.{}", quoted(metric)))
}

/// The table of a report, and beside each row its exact decimals, if it has any.
fn with_exact(table: &ReportTable) -> String {
    let exact = quoted(&table.exact_name());
    let same = |key: &String| format!("{exact}.{} = {}", quoted(key), table.column(key));
    let keys: Vec<String> = table.group_by.iter().map(same).collect();
    let is_same = if keys.is_empty() { "TRUE".to_owned() } else { keys.join(" AND ") };
    format!("{} LEFT JOIN {exact} ON {is_same}", table.quoted())
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
