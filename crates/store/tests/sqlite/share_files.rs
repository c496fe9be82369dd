//! The migration that puts the files and rejects of product feeds and of reports into shared tables.

use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query,
    sql_types::Text,
};
use diesel_migrations::MigrationHarness;
use tempfile::TempDir;
use tributary_store::{DatabaseUrl, Error, Store};

use super::migrations::{MIGRATIONS, migration_count};

/// The number of migrations before it.
const EARLIER: usize = 9;

const ROWS: &str = "
INSERT INTO sources (id, name, url, priority, position, state)
VALUES (1, 'north', 'http://n', 0, 0, 'up'), (2, 'south', 'http://s', 0, 1, 'up');
INSERT INTO files (id, source_id, path, hash, reading, size_bytes, row_count, offers, rejects, state, rejected_hash,
    rejected_reading, rejected_reason, rank_key, repaired, replaced, notes)
VALUES (3, 1, 'a.csv', 'h1', 'r1', 10, 9, 5, 2, 'applied', NULL, NULL, NULL, 'k', 1, 2, 'note'),
    (5, 2, 'a.csv', NULL, NULL, 0, 0, 0, 0, 'changing', NULL, NULL, NULL, '', 0, 0, NULL),
    (7, 1, 'b.csv', 'h2', 'r1', 20, 8, 7, 0, 'rejected', 'h3', 'r1', 'no header', '', 0, 1, NULL);
INSERT INTO pages VALUES (3, 'a', x'01', x'02', x'03'), (7, 'm', x'04', x'05', x'06');
INSERT INTO products VALUES ('1', 'pen', 'blue', 3, 0), ('2', 'ink', '', 7, 0), ('3', 'alone', '', NULL, 1);
INSERT INTO shadowed VALUES ('1', 7, 0, 'quill', '');
INSERT INTO reported_files (id, report, source_id, path, hash, reading, row_count, passed_over, rejects, \"groups\", state,
    rejected_hash, rejected_reading, rejected_reason, repaired, notes)
VALUES (1, 'sales', 1, 'a.csv', 'h1', 'p1', 9, 3, 1, 4, 'applied', NULL, NULL, NULL, 2, 'of sales'),
    (2, 'sales', 2, 'b.csv', NULL, NULL, 0, 0, 0, 0, 'rejected', 'h4', 'p1', 'no column', 0, NULL),
    (7, 'prices', 1, 'a.csv', 'h1', 'p2', 9, 0, 0, 1, 'applied', NULL, NULL, NULL, 0, NULL);
INSERT INTO partials VALUES (1, 0, x'10'), (1, 1, x'11'), (7, 0, x'70');
INSERT INTO rejects VALUES (1, 3, 0, 4, 40, 'no sku', 'a;b'), (4, 7, 1, 1, 0, 'no header', 'c');
INSERT INTO reported_rejects VALUES (2, 1, 0, 5, 50, 'no number', 'd'), (3, 2, 1, 1, 0, 'no column', 'e');
";

/// The rows of a query, each as one text.
fn dump(connection: &mut SqliteConnection, columns: &[&str], of: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        line: String,
    }
    let line = columns.iter().map(|column| format!("coalesce({column}, '-')")).collect::<Vec<_>>().join(" || ' ' || ");
    let rows: Vec<Row> = sql_query(format!("SELECT {line} AS line FROM {of}")).load(connection).unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

/// All rows of the tables that the migration changes, or that refer to those.
fn all_rows(connection: &mut SqliteConnection) -> Vec<Vec<String>> {
    let file = [
        "id",
        "reader",
        "source_id",
        "path",
        "hash",
        "reading",
        "rank_key",
        "size_bytes",
        "row_count",
        "results",
        "unused",
        "rejects",
        "repaired",
        "notes",
        "state",
        "rejected_hash",
        "rejected_reading",
        "rejected_reason",
    ];
    let reject = ["id", "file_id", "whole_file", "line", "byte_offset", "reason", "raw"];
    let page = ["file_id", "first_sku", "hex(digest)", "hex(entries)", "hex(lines)"];
    vec![
        dump(connection, &file, "files ORDER BY id"),
        dump(connection, &reject, "rejects ORDER BY id"),
        dump(connection, &["file_id", "part_no", "hex(body)"], "partials ORDER BY file_id, part_no"),
        dump(connection, &page, "pages ORDER BY file_id"),
        dump(connection, &["sku", "name", "description", "file_id", "edited"], "products ORDER BY sku"),
        dump(connection, &["sku", "file_id", "deletes", "name", "description"], "shadowed ORDER BY sku"),
    ]
}

/// The places where the large tables begin in the database file.
fn large_tables(connection: &mut SqliteConnection) -> Vec<String> {
    dump(connection, &["name", "rootpage"], "sqlite_schema WHERE tbl_name IN ('pages', 'products') ORDER BY name")
}

/// A database of the schema before the migration, with these rows.
fn old_database(rows: &str) -> (TempDir, DatabaseUrl, SqliteConnection) {
    let folder = tempfile::tempdir().unwrap();
    let url = crate::url_of(&folder, "old.db");
    let mut connection = SqliteConnection::establish(url.place().to_str().unwrap()).unwrap();
    for _ in 0..EARLIER {
        connection.run_next_migration(MIGRATIONS).unwrap();
    }
    connection.batch_execute("PRAGMA foreign_keys = OFF").unwrap();
    connection.batch_execute(rows).unwrap();
    (folder, url, connection)
}

#[test]
fn every_row_is_kept_and_what_refers_to_feeds_stays_as_it_is() {
    let (_folder, url, mut connection) = old_database(ROWS);
    let before = large_tables(&mut connection);
    assert_eq!(before.len(), 3, "{before:?}");
    drop(Store::open(&url).unwrap());
    let found = all_rows(&mut connection);
    let expect: [&[&str]; 6] = [
        &[
            "3 products 1 a.csv h1 r1 k 10 9 5 2 2 1 note applied - - -",
            "5 products 2 a.csv - -  0 0 0 0 0 0 - changing - - -",
            "7 products 1 b.csv h2 r1  20 8 7 1 0 0 - rejected h3 r1 no header",
            "8 report:sales 1 a.csv h1 p1  0 9 4 3 1 2 of sales applied - - -",
            "9 report:sales 2 b.csv - -  0 0 0 0 0 0 - rejected h4 p1 no column",
            "14 report:prices 1 a.csv h1 p2  0 9 1 0 0 0 - applied - - -",
        ],
        &["1 3 0 4 40 no sku a;b", "2 8 0 5 50 no number d", "3 9 1 1 0 no column e", "4 7 1 1 0 no header c"],
        &["8 0 10", "8 1 11", "14 0 70"],
        &["3 a 01 02 03", "7 m 04 05 06"],
        &["1 pen blue 3 0", "2 ink  7 0", "3 alone  - 1"],
        &["1 7 0 quill "],
    ];
    assert_eq!(found, expect);
    assert_eq!(large_tables(&mut connection), before, "they must not be written again");

    for _ in EARLIER..migration_count() {
        connection.revert_last_migration(MIGRATIONS).unwrap();
    }
    let reports = dump(&mut connection, &["id", "report"], "reported_files ORDER BY id");
    assert_eq!(reports, ["8 sales", "9 sales", "14 prices"]);
    drop(Store::open(&url).unwrap());
    let again = all_rows(&mut connection);
    assert_eq!((again[0].len(), again[1].len(), again[2][2].as_str()), (6, 4, "21 0 70"));
    assert_eq!(again[3..], found[3..]);
}

#[test]
fn a_database_without_files_is_migrated() {
    let (_folder, url, mut connection) = old_database("");
    drop(Store::open(&url).unwrap());
    assert!(all_rows(&mut connection).concat().is_empty());
}

/// Guards against a program that starts with half of the tables changed.
#[test]
fn a_row_that_refers_to_nothing_stops_the_migration_and_nothing_is_changed() {
    let (_folder, url, mut connection) = old_database(ROWS);
    connection.batch_execute("INSERT INTO partials VALUES (99, 0, x'00')").unwrap();
    let error = Store::open(&url).err().unwrap().to_string();
    assert!(error.contains("`partials` refers to rows of `files` that do not exist (1 times)"), "{error}");
    assert_eq!(dump(&mut connection, &["id", "report"], "reported_files").len(), 3);
    connection.batch_execute("DELETE FROM partials WHERE reported_file_id = 99").unwrap();
    assert!(matches!(Store::open_existing(&url), Err(Error::OlderSchema { .. })));
    drop(Store::open(&url).unwrap());
    assert_eq!(all_rows(&mut connection)[0].len(), 6);
}
