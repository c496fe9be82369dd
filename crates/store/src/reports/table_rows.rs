//! Rows of the tables `report_<name>`, for people and programs: some of them in any order, or all one after another.

use super::table::{ReportTable, comma_separated, quoted};
use crate::{
    Error, GroupRow, MAX_PAGE_BYTES, ReportValue, Store,
    database::{connection::Kind, dynamic_rows::each_dynamic_row},
    postgres,
};

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

/// Some of a report's rows.
#[derive(Debug, Clone, Copy)]
pub struct ReportRange<'a> {
    /// The order.
    pub order: ReportOrder<'a>,
    /// Only rows with a group that contains this text; upper and lower case differ.
    pub part: Option<&'a str>,
    /// At most this many rows; -1 for all.
    pub limit: i64,
    /// Rows to skip first.
    pub offset: i64,
}

impl ReportRange<'_> {
    /// All rows in order of their groups.
    pub const ALL: ReportRange<'static> = ReportRange { order: ReportOrder::Key, part: None, limit: -1, offset: 0 };
}

impl Store {
    /// Passes rows of a report to `take` as they are read.
    ///
    /// # Errors
    /// Those of `take`; [`Error::Query`], for instance when the table or one of its columns does not exist.
    pub fn each_report_row<E: From<Error>>(
        &mut self,
        table: &ReportTable,
        range: ReportRange<'_>,
        mut take: impl FnMut(GroupRow) -> Result<(), E>,
    ) -> Result<(), E> {
        self.report_rows_while(table, range, |row| take(row).map(|()| true))
    }

    fn report_rows_while<E: From<Error>>(
        &mut self,
        table: &ReportTable,
        range: ReportRange<'_>,
        mut take: impl FnMut(GroupRow) -> Result<bool, E>,
    ) -> Result<(), E> {
        let query = query(table, self.connection.kind(), range, self.has_exact(table)?);
        let action = || format!("read the report {:?}", table.name);
        let (keys, metrics) = (table.group_by.len(), table.metrics.len());
        let texts: Vec<&str> = table.group_by.iter().filter_map(|_| range.part).collect();
        each_dynamic_row(&mut self.connection, query, (&texts, range.limit, range.offset), action, |mut group| {
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

    /// Rows of a report; fewer if their groups take more than [`MAX_PAGE_BYTES`].
    ///
    /// # Errors
    /// As [`Store::each_report_row`].
    pub fn report_page(&mut self, table: &ReportTable, range: ReportRange<'_>) -> Result<Vec<GroupRow>, Error> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        self.report_rows_while(table, range, |row| {
            bytes += row.group.iter().map(String::len).sum::<usize>();
            rows.push(row);
            Ok::<_, Error>(bytes < MAX_PAGE_BYTES)
        })?;
        Ok(rows)
    }

    /// All rows of a range.
    ///
    /// # Errors
    /// As [`Store::each_report_row`].
    pub fn report_rows(&mut self, table: &ReportTable, range: ReportRange<'_>) -> Result<Vec<GroupRow>, Error> {
        let mut rows = Vec::new();
        self.each_report_row(table, range, |row| {
            rows.push(row);
            Ok::<_, Error>(())
        })?;
        Ok(rows)
    }
}

impl ReportValue {
    /// The text of a key column.
    pub(super) fn into_text(self) -> String {
        match self {
            ReportValue::Text(text) | ReportValue::Decimal(text) => text,
            ReportValue::Integer(number) => number.to_string(),
            ReportValue::Real(number) => number.to_string(),
            ReportValue::Null => String::new(),
        }
    }
}

/// The query for some rows, with a place for the text that groups contain per key, and for limit and offset.
fn query(table: &ReportTable, kind: Kind, range: ReportRange<'_>, has_exact: bool) -> String {
    let columns = table.columns().map(|column| table.column(column));
    let name = table.quoted();
    let (condition, order) = (condition(table, range.part), order_by(table, kind, range.order));
    let rows = format!("{condition}{order} LIMIT ? OFFSET ?");
    if !has_exact {
        return format!("SELECT {} FROM {name}{rows}", comma_separated(columns));
    }
    let (columns, exact) = (comma_separated(columns.chain(exact_columns(table))), join_exact(table));
    match range.limit {
        // In order of the key nothing is sorted, and a stream of all rows must not be.
        ..0 => format!("SELECT {columns} FROM {name}{exact}{rows}"),
        // Only the rows that are asked for are joined.
        0.. => format!("SELECT {columns} FROM (SELECT * FROM {name}{rows}) AS {name}{exact}{order}"),
    }
}

/// The condition that any group contains a text.
pub(super) fn condition(table: &ReportTable, part: Option<&str>) -> String {
    if part.is_none() {
        return String::new();
    }
    // Without a group there is nothing to contain it.
    let any = table.group_by.iter().map(|key| format!("instr({}, ?) > 0", table.column(key))).collect::<Vec<_>>();
    format!(" WHERE {}", if any.is_empty() { "FALSE".to_owned() } else { any.join(" OR ") })
}

/// The metrics of the table of exact decimals.
fn exact_columns(table: &ReportTable) -> impl Iterator<Item = String> {
    let exact = quoted(&table.exact_name());
    table.metrics.iter().map(move |metric| format!("{exact}.{}", quoted(metric)))
}

/// Joins to each row its exact decimals, if it has any.
fn join_exact(table: &ReportTable) -> String {
    let exact = quoted(&table.exact_name());
    let same = |key: &String| format!("{exact}.{} = {}", quoted(key), table.column(key));
    let keys: Vec<String> = table.group_by.iter().map(same).collect();
    let is_same = if keys.is_empty() { "TRUE".to_owned() } else { keys.join(" AND ") };
    format!(" LEFT JOIN {exact} ON {is_same}")
}

fn order_by(table: &ReportTable, kind: Kind, order: ReportOrder<'_>) -> String {
    let prefixes = if kind == Kind::Postgres { postgres::key_prefixes(table) } else { Vec::new() };
    let keys = prefixes.into_iter().chain(table.group_by.iter().map(|column| table.column(column)));
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
    vec![
        format!("{column} IS NULL"),
        format!("CAST({column} AS DOUBLE PRECISION) {direction}"),
        format!("{column} {direction}"),
    ]
}
