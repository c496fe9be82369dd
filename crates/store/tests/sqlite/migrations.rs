//! Migrations: they can be reverted and applied again, old databases keep their rows, and `schema.rs` declares the same columns.

use std::{collections::BTreeMap, path::Path};

use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    migration::MigrationSource,
    sql_query,
    sql_types::{Bool, Text},
    sqlite::Sqlite,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tributary_store::{Counts, DocumentState, Error, ReportRange, SourceState, Store, Tally};

use crate::Database;

pub(super) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

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

/// The columns of every table, in their order, as the `name -> Type` lines of `schema.rs`.
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
            "DOUBLE" => "Double",
            other => panic!("{}.{} is declared as {other}", column.table_name, column.name),
        };
        let kind = if column.required { kind.to_owned() } else { format!("Nullable<{kind}>") };
        tables.entry(column.table_name).or_default().push(format!("{} -> {kind}", column.name));
    }
    tables
}

/// The same from the text of `schema.rs`.
fn declared_columns() -> BTreeMap<String, Vec<String>> {
    let mut tables = BTreeMap::<String, Vec<String>>::new();
    let mut table = String::new();
    for line in include_str!("../../src/database/schema.rs").lines().map(str::trim) {
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
    let database = Database::file();
    let mut connection = SqliteConnection::establish(database.url.place().to_str().unwrap()).unwrap();
    let migrated = migrated_columns(&mut connection);
    assert_eq!(migrated, declared_columns());
    assert_eq!(migrated.len(), 24);
}

#[test]
fn every_migration_can_be_reverted_and_applied_again() {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    connection.run_pending_migrations(MIGRATIONS).unwrap();
    let first = migrated_columns(&mut connection);
    connection.revert_all_migrations(MIGRATIONS).unwrap();
    assert_eq!(migrated_columns(&mut connection), BTreeMap::new());
    connection.run_pending_migrations(MIGRATIONS).unwrap();
    assert_eq!(migrated_columns(&mut connection), first);
}

pub(super) fn migration_count() -> usize {
    MigrationSource::<Sqlite>::migrations(&MIGRATIONS).unwrap().len()
}

/// The statements that created tables and indexes, but for those of reports.
fn definitions(path: &Path) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Definition {
        #[diesel(sql_type = Text)]
        sql: String,
    }
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let all: Vec<Definition> = sql_query(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'report\\_%' ESCAPE '\\' ORDER BY name",
    )
    .load(&mut connection)
    .unwrap();
    all.into_iter().map(|definition| definition.sql).collect()
}

#[test]
fn a_database_of_any_earlier_schema_is_brought_up_to_date() {
    assert!(migration_count() > 4);
    for applied in 1..migration_count() {
        let folder = tempfile::tempdir().unwrap();
        let url = crate::url_of(&folder, "old.db");
        let mut connection = SqliteConnection::establish(url.place().to_str().unwrap()).unwrap();
        for _ in 0..applied {
            connection.run_next_migration(MIGRATIONS).unwrap();
        }
        let rows = "INSERT INTO products (sku, name, description, file_id, edited) VALUES ('a', 'n', '', NULL, 1), ('b', 'n', '', NULL, 1); INSERT INTO aggr VALUES ('n', 2);";
        connection.batch_execute(rows).unwrap();
        if applied > 1 {
            connection.batch_execute("UPDATE tally SET products = 2, names = 1").unwrap();
        }
        drop(connection);
        assert!(matches!(Store::open_existing(&url), Err(Error::OlderSchema { .. })), "{applied}");
        let tally = Store::open(&url).unwrap().tally().unwrap();
        assert_eq!((tally.products, tally.names), (2, 1), "{applied}");
        assert_eq!(definitions(url.place()), definitions(Database::file().url.place()), "{applied}");
    }
}

/// Guards users who upgrade. The file was written by the programs of its date, so it also shows if a landed migration is edited.
#[test]
fn a_database_of_an_earlier_release_opens_with_all_that_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let url = crate::url_of(&folder, "old.db");
    let mut connection = SqliteConnection::establish(url.place().to_str().unwrap()).unwrap();
    connection.batch_execute(include_str!("../old/2026-11-25.sql")).unwrap();
    drop(connection);
    let mut store = Store::open(&url).unwrap();
    assert_eq!(definitions(url.place()), definitions(Database::file().url.place()));

    let full = Counts { products: 6, aggr: 5, sources: 3, files: 5, rejects: 3, edits: 1, shadowed: 1 };
    assert_eq!(store.counts().unwrap(), full);
    assert_eq!(store.tally().unwrap(), Tally { products: 6, names: 5 });
    let states: Vec<_> = store.sources().unwrap().into_iter().map(|source| (source.name, source.state)).collect();
    let expect = [("north", SourceState::Up), ("south", SourceState::Rejected), ("uploads", SourceState::Up)];
    assert_eq!(states, expect.map(|(name, state)| (name.to_owned(), state)));
    assert_eq!(
        (store.rejected_files("products", 1).unwrap().len(), store.rejected_files("products", 2).unwrap().len()),
        (0, 1)
    );
    assert!(store.page_lines(1, "2").unwrap().is_some());
    assert_eq!(store.edit("9").unwrap().unwrap().name.as_deref(), Some("stands alone"));

    assert_eq!(store.report("sales").unwrap().unwrap().groups, 2);
    let table = store.stored_report("sales").unwrap().unwrap();
    let rows = store.report_rows(&table, ReportRange::ALL).unwrap();
    assert_eq!(rows.iter().map(|row| row.group[0].as_str()).collect::<Vec<_>>(), ["Books", "Toys"]);
    assert_eq!(store.file_of("report:sales", "north", "sales-1.csv").unwrap().unwrap().rejects, 1);
    assert_eq!(store.rejects_count().unwrap(), 3);
    assert_eq!(store.report_failures("sales").unwrap(), []);

    assert_eq!(store.event_range().unwrap(), Some((1, 12)));
    store.put_event("2026-11-28T10:00:00Z", "edit", "{}").unwrap();
    assert_eq!(store.event_range().unwrap(), Some((1, 13)));
    assert_eq!(store.latest_document("up.csv").unwrap().unwrap().state, DocumentState::Complete);
}

/// A migration creates the table of events again: its rows and its next number must survive.
#[test]
fn events_keep_their_numbers_through_migrations() {
    let folder = tempfile::tempdir().unwrap();
    let url = crate::url_of(&folder, "old.db");
    let mut connection = SqliteConnection::establish(url.place().to_str().unwrap()).unwrap();
    // The schema before events of reports.
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
    let mut connection = SqliteConnection::establish(url.place().to_str().unwrap()).unwrap();
    for _ in 2..migration_count() {
        connection.revert_last_migration(MIGRATIONS).unwrap();
    }
    drop(connection);
    let mut store = Store::open(&url).unwrap();
    store.put_event("t", "report", "{}").unwrap();
    assert_eq!(store.event_range().unwrap(), Some((9, 9)));
}
