//! The migrations: they can be taken back and applied again, and `src/schema.rs` says the same as they do.

use std::collections::BTreeMap;

use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    sql_query,
    sql_types::{Bool, Text},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use tributary_store::Store;

use crate::Database;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// One column as the database declares it.
#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    declared: String,
    #[diesel(sql_type = Bool)]
    required: bool,
}

/// The columns of every table, in their order, as `name -> Type` lines of `src/schema.rs`.
fn migrated_columns(connection: &mut SqliteConnection) -> BTreeMap<String, Vec<String>> {
    let columns: Vec<Column> = sql_query(
        "SELECT t.name AS table_name, c.name AS name, c.type AS declared, c.\"notnull\" AS required \
         FROM sqlite_schema t, pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\' AND t.name NOT LIKE 'sqlite%' ORDER BY t.name, c.cid",
    )
    .load(connection)
    .unwrap();
    let mut tables = BTreeMap::<String, Vec<String>>::new();
    for column in columns {
        let kind = match column.declared.as_str() {
            // Row ids are 64 bits wide whatever they are declared as.
            "BIGINT" | "INTEGER" => "BigInt",
            "TEXT" => "Text",
            "BLOB" => "Binary",
            "BOOLEAN" => "Bool",
            other => panic!("{}.{} is declared as {other}", column.table_name, column.name),
        };
        let kind = if column.required { kind.to_owned() } else { format!("Nullable<{kind}>") };
        tables.entry(column.table_name).or_default().push(format!("{} -> {kind}", column.name));
    }
    tables
}

/// The same from the text of `src/schema.rs`.
fn declared_columns() -> BTreeMap<String, Vec<String>> {
    let mut tables = BTreeMap::<String, Vec<String>>::new();
    let mut table = String::new();
    for line in include_str!("../src/schema.rs").lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = name.to_owned();
        } else if line.contains(" -> ") && line.ends_with(',') && !table.starts_with("__") {
            tables.entry(table.clone()).or_default().push(line.trim_end_matches(',').to_owned());
        }
    }
    tables
}

#[test]
fn the_schema_in_rust_is_the_migrated_one() {
    let database = Database::new();
    let mut connection = SqliteConnection::establish(database.url.path().to_str().unwrap()).unwrap();
    let migrated = migrated_columns(&mut connection);
    assert_eq!(migrated, declared_columns());
    assert_eq!(migrated.len(), 15);
}

#[test]
fn every_migration_can_be_taken_back_and_applied_again() {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    connection.run_pending_migrations(MIGRATIONS).unwrap();
    let first = migrated_columns(&mut connection);
    connection.revert_all_migrations(MIGRATIONS).unwrap();
    assert_eq!(migrated_columns(&mut connection), BTreeMap::new());
    connection.run_pending_migrations(MIGRATIONS).unwrap();
    assert_eq!(migrated_columns(&mut connection), first);
}

#[test]
fn a_database_of_the_first_schema_is_brought_up_to_date_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let url = crate::url_of(&folder, "old.db");
    let mut connection = SqliteConnection::establish(url.path().to_str().unwrap()).unwrap();
    connection.run_next_migration(MIGRATIONS).unwrap();
    let rows = "INSERT INTO products VALUES ('a', 'n', '', NULL, 1), ('b', 'n', '', NULL, 1); INSERT INTO aggr VALUES ('n', 2);";
    connection.batch_execute(rows).unwrap();
    drop(connection);
    let tally = Store::open(&url).unwrap().tally().unwrap();
    assert_eq!((tally.products, tally.names), (2, 1));
}

/// The table of events is made anew by a migration: what it held and where its numbers stood must outlive that.
#[test]
fn events_are_numbered_on_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let url = crate::url_of(&folder, "old.db");
    let mut connection = SqliteConnection::establish(url.path().to_str().unwrap()).unwrap();
    for _ in 0..2 {
        connection.run_next_migration(MIGRATIONS).unwrap();
    }
    let events = "INSERT INTO events (id, at, kind, data) VALUES (6, 't', 'edit', '{}'), (7, 't', 'edit', '{}'); DELETE FROM events WHERE id = 7;";
    connection.batch_execute(events).unwrap();
    drop(connection);
    let mut store = Store::open(&url).unwrap();
    store.put_event("t", "report", "{}").unwrap();
    let ids: Vec<_> = store.events_after(0, 9).unwrap().into_iter().map(|event| event.id).collect();
    assert_eq!(ids, [6, 8]);

    store.forget_events().unwrap();
    drop(store);
    let mut connection = SqliteConnection::establish(url.path().to_str().unwrap()).unwrap();
    connection.revert_last_migration(MIGRATIONS).unwrap();
    drop(connection);
    let mut store = Store::open(&url).unwrap();
    store.put_event("t", "report", "{}").unwrap();
    assert_eq!(store.event_range().unwrap(), Some((9, 9)));
}
