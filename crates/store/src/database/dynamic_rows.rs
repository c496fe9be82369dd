//! Rows of tables whose columns are only known at run time: the tables of reports.

use diesel::QueryResult;

use super::{
    connection::AnyConnection,
    error::Error,
    values::{GroupRow, ReportValue},
};
use crate::{postgres, sqlite};

/// Inserts rows, of which there is at least one, into a table; `columns` has the quoted names of all columns, those of the groups first.
pub(crate) fn insert_rows(
    connection: &mut AnyConnection,
    table: &str,
    columns: &str,
    rows: &[GroupRow],
) -> QueryResult<usize> {
    match connection {
        AnyConnection::Sqlite(sqlite) => sqlite::insert_rows(sqlite, table, columns, rows),
        AnyConnection::Postgres(postgres) => postgres::insert_rows(postgres, table, columns, rows),
    }
}

/// Runs a query with a place `?` for each of `texts` and, behind them, `LIMIT ? OFFSET ?`. Passes each row to `take` as soon as it is read,
/// until that returns false. `action` describes the query, for errors.
pub(crate) fn each_dynamic_row<E: From<Error>>(
    connection: &mut AnyConnection,
    query: String,
    values: (&[&str], i64, i64),
    action: impl Fn() -> String,
    take: impl FnMut(Vec<ReportValue>) -> Result<bool, E>,
) -> Result<(), E> {
    match connection {
        AnyConnection::Sqlite(sqlite) => sqlite::each_dynamic_row(sqlite, query, values, action, take),
        AnyConnection::Postgres(postgres) => postgres::each_dynamic_row(postgres, &query, values, action, take),
    }
}
