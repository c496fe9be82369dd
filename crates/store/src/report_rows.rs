//! What people and programs read of the tables `report_<name>`: a part of the rows in some order, or all of them, one after another.

use diesel::{
    connection::DefaultLoadingMode,
    deserialize::{self, FromSql, QueryableByName},
    prelude::*,
    row::{Field, NamedRow, Row},
    sql_query,
    sql_types::{BigInt, Double, Text},
    sqlite::{Sqlite, SqliteType},
};

use crate::{
    Error, GroupRow, ReportTable, ReportValue, Store, connection::AnyConnection, error::Doing, report_table::list,
};

/// The order of a report's rows. Nulls come last in either direction, and equals are in order of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReportOrder<'a> {
    /// By the groups (bytes); no row is sorted for it.
    #[default]
    Key,
    /// By a column, which must be one of the table's, the least first.
    Ascending(&'a str),
    /// By a column, the greatest first.
    Descending(&'a str),
}

/// A row as it is stored.
struct StoredRow(Vec<ReportValue>);

impl Store {
    /// Gives at most `limit` rows of a report, `offset` passed over, to `take`, one after another as they are read.
    ///
    /// # Errors
    /// Those of `take`; [`Error::Query`], without that table or one of its columns above all.
    pub fn each_report_row<E: From<Error>>(
        &mut self,
        table: &ReportTable,
        order: ReportOrder<'_>,
        (limit, offset): (i64, i64),
        mut take: impl FnMut(GroupRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let action = || format!("read the report {:?}", table.name);
        let statement = format!(
            "SELECT {} FROM {}{} LIMIT ? OFFSET ?",
            list(table.columns().map(|column| table.column(column))),
            table.quoted(),
            order_by(table, order)
        );
        let query = sql_query(statement).bind::<BigInt, _>(limit).bind::<BigInt, _>(offset);
        let AnyConnection::Sqlite(sqlite) = &mut self.connection;
        let rows = query.load_iter::<StoredRow, DefaultLoadingMode>(sqlite).doing(action)?;
        for row in rows {
            let StoredRow(mut values) = row.doing(action)?;
            let metrics = values.split_off(table.group_by.len().min(values.len()));
            take(GroupRow { group: values.into_iter().map(ReportValue::into_text).collect(), values: metrics })?;
        }
        Ok(())
    }

    /// At most `limit` rows of a report, `offset` passed over.
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
    /// A key as the text that it is stored as.
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

/// A metric by its size first: an integer of more than 64 bits is a text, which SQLite would put behind every number.
fn by_column(table: &ReportTable, column: &str, direction: &str) -> Vec<String> {
    let is_key = table.group_by.iter().any(|key| key == column);
    let column = table.column(column);
    if is_key {
        return vec![format!("{column} {direction}")];
    }
    vec![format!("{column} IS NULL"), format!("CAST({column} AS REAL) {direction}"), format!("{column} {direction}")]
}

impl QueryableByName<Sqlite> for StoredRow {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        // By place, because the names are anything, and one may look like another to whom compares them.
        let value = |place: usize| -> deserialize::Result<ReportValue> {
            let field = Row::get(row, place).ok_or("the row is shorter than it says")?;
            let Some(value) = field.value() else { return Ok(ReportValue::Null) };
            Ok(match value.value_type() {
                Some(SqliteType::Long | SqliteType::Integer | SqliteType::SmallInt) => {
                    ReportValue::Integer(<i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?)
                }
                Some(SqliteType::Double | SqliteType::Float) => {
                    ReportValue::Real(<f64 as FromSql<Double, Sqlite>>::from_sql(value)?)
                }
                Some(_) => ReportValue::Text(<String as FromSql<Text, Sqlite>>::from_sql(value)?),
                None => ReportValue::Null,
            })
        };
        (0..row.field_count()).map(value).collect::<deserialize::Result<Vec<_>>>().map(StoredRow)
    }
}
