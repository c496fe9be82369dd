//! SQLite's system tables: which tables and indexes exist, and the columns of tables.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};

use crate::database::connection::AnyConnection;

/// A column of a table.
#[derive(QueryableByName)]
pub(crate) struct TableColumn {
    /// Its name.
    #[diesel(sql_type = Text)]
    pub(crate) name: String,
    /// Its position in the primary key, counted from 1; 0 if it is not part of it.
    #[diesel(sql_type = BigInt)]
    pub(crate) pk: i64,
}

/// The columns of a table, in order; none if there is no such table.
pub(crate) fn table_columns(connection: &mut AnyConnection, table: &str) -> QueryResult<Vec<TableColumn>> {
    sql_query("SELECT name, pk FROM pragma_table_info(?) ORDER BY cid").bind::<Text, _>(table).load(connection)
}

/// The names of all tables that begin with `prefix`, compared byte by byte.
pub(crate) fn tables_with_prefix(connection: &mut AnyConnection, prefix: &str) -> QueryResult<Vec<String>> {
    names(connection, "table", prefix)
}

/// The names of all indexes that begin with `prefix`, compared byte by byte.
pub(crate) fn index_names(connection: &mut AnyConnection, prefix: &str) -> QueryResult<Vec<String>> {
    names(connection, "index", prefix)
}

fn names(connection: &mut AnyConnection, kind: &str, prefix: &str) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Entry {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let entries: Vec<Entry> =
        sql_query("SELECT name FROM sqlite_schema WHERE type = ? AND substr(name, 1, length(?)) = ?")
            .bind::<Text, _>(kind)
            .bind::<Text, _>(prefix)
            .bind::<Text, _>(prefix)
            .load(connection)?;
    Ok(entries.into_iter().map(|entry| entry.name).collect())
}
