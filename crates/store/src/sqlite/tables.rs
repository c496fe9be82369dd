//! SQLite's system tables: which tables and indexes exist, and the columns of tables.

use diesel::{prelude::*, sql_query, sql_types::Text};

use crate::database::tables::{Name, TableColumn};

/// The columns of a table, in order; none if there is no such table.
pub(crate) fn table_columns(connection: &mut SqliteConnection, table: &str) -> QueryResult<Vec<TableColumn>> {
    sql_query("SELECT name, pk FROM pragma_table_info(?) ORDER BY cid").bind::<Text, _>(table).load(connection)
}

/// The names of all tables that begin with `prefix`, compared byte by byte.
pub(crate) fn tables_with_prefix(connection: &mut SqliteConnection, prefix: &str) -> QueryResult<Vec<String>> {
    names(connection, "table", prefix)
}

/// The names of all indexes that begin with `prefix`, compared byte by byte.
pub(crate) fn index_names(connection: &mut SqliteConnection, prefix: &str) -> QueryResult<Vec<String>> {
    names(connection, "index", prefix)
}

fn names(connection: &mut SqliteConnection, kind: &str, prefix: &str) -> QueryResult<Vec<String>> {
    let entries: Vec<Name> =
        sql_query("SELECT name FROM sqlite_schema WHERE type = ? AND substr(name, 1, length(?)) = ?")
            .bind::<Text, _>(kind)
            .bind::<Text, _>(prefix)
            .bind::<Text, _>(prefix)
            .load(connection)?;
    Ok(entries.into_iter().map(|entry| entry.name).collect())
}
