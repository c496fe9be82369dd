//! Tables and indexes as the database lists them.

use diesel::{
    prelude::*,
    sql_types::{BigInt, Text},
};

use super::connection::AnyConnection;
use crate::{postgres, sqlite};

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

/// The name of a table or an index.
#[derive(QueryableByName)]
pub(crate) struct Name {
    #[diesel(sql_type = Text)]
    pub(crate) name: String,
}

/// The columns of a table, in order; none if there is no such table.
pub(crate) fn table_columns(connection: &mut AnyConnection, table: &str) -> QueryResult<Vec<TableColumn>> {
    match connection {
        AnyConnection::Sqlite(sqlite) => sqlite::table_columns(sqlite, table),
        AnyConnection::Postgres(postgres) => postgres::table_columns(postgres, table),
    }
}

/// The names of all tables that begin with `prefix`, compared byte by byte.
pub(crate) fn tables_with_prefix(connection: &mut AnyConnection, prefix: &str) -> QueryResult<Vec<String>> {
    match connection {
        AnyConnection::Sqlite(sqlite) => sqlite::tables_with_prefix(sqlite, prefix),
        AnyConnection::Postgres(postgres) => postgres::tables_with_prefix(postgres, prefix),
    }
}

/// The names of all indexes that begin with `prefix`, compared byte by byte.
pub(crate) fn index_names(connection: &mut AnyConnection, prefix: &str) -> QueryResult<Vec<String>> {
    match connection {
        AnyConnection::Sqlite(sqlite) => sqlite::index_names(sqlite, prefix),
        AnyConnection::Postgres(postgres) => postgres::index_names(postgres, prefix),
    }
}
