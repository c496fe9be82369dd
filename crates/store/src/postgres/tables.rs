//! PostgreSQL's system tables: which tables and indexes exist in the schema in use, and the columns of tables.

use diesel::{prelude::*, sql_query, sql_types::Text};

use crate::database::tables::{Name, TableColumn};

/// The columns of the table of a report, in order; none if there is no such table. The texts are its key, see `report_keys`.
pub(crate) fn table_columns(connection: &mut PgConnection, table: &str) -> QueryResult<Vec<TableColumn>> {
    sql_query(
        "SELECT attname::text AS name, CASE WHEN atttypid = 'text'::regtype THEN attnum ELSE 0 END::bigint AS pk \
         FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid \
         WHERE relnamespace = current_schema()::regnamespace AND relname = $1 AND relkind = 'r' AND attnum > 0 \
         AND NOT attisdropped ORDER BY attnum",
    )
    .bind::<Text, _>(table)
    .load(connection)
}

/// The names of all tables that begin with `prefix`, compared byte by byte.
pub(crate) fn tables_with_prefix(connection: &mut PgConnection, prefix: &str) -> QueryResult<Vec<String>> {
    names(connection, "r", prefix)
}

/// The names of all indexes that begin with `prefix`, compared byte by byte.
pub(crate) fn index_names(connection: &mut PgConnection, prefix: &str) -> QueryResult<Vec<String>> {
    names(connection, "i", prefix)
}

fn names(connection: &mut PgConnection, kind: &str, prefix: &str) -> QueryResult<Vec<String>> {
    let names: Vec<Name> = sql_query(
        "SELECT relname::text AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace \
         AND relkind::text = $1 AND starts_with(relname::text, $2) ORDER BY relname::text COLLATE \"C\"",
    )
    .bind::<Text, _>(kind)
    .bind::<Text, _>(prefix)
    .load(connection)?;
    Ok(names.into_iter().map(|entry| entry.name).collect())
}
