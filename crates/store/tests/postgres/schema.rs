//! The two schemas.

use std::{collections::BTreeMap, path::Path};

use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query, sql_types::Text};

use super::{client, names};
use crate::{Database, page, product, put};

type Columns = BTreeMap<String, Vec<String>>;

/// `table.column type`, where the type is the one that both have.
fn by_table(columns: Vec<String>) -> Columns {
    let mut tables = Columns::new();
    for column in columns {
        let (table, column) = column.split_once('.').unwrap();
        tables.entry(table.to_owned()).or_default().push(column.to_owned());
    }
    tables.values_mut().for_each(|columns| columns.sort());
    tables
}

fn of_file(path: &Path) -> Columns {
    #[derive(diesel::QueryableByName)]
    struct Column {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let mut client = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let query = "SELECT m.name || '.' || c.name || ' ' || CASE c.type WHEN 'INTEGER' THEN 'BIGINT' WHEN 'BLOB' THEN 'BYTEA' \
         WHEN 'DOUBLE' THEN 'DOUBLE PRECISION' ELSE c.type END || CASE WHEN c.\"notnull\" THEN ' not null' ELSE '' END AS name \
         FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' \
         AND m.name NOT LIKE '\\_%' ESCAPE '\\'";
    by_table(sql_query(query).load::<Column>(&mut client).unwrap().into_iter().map(|column| column.name).collect())
}

#[test]
#[ignore = "needs PostgreSQL"]
fn both_kinds_of_databases_have_the_same_columns() {
    let (file, server) = (Database::file(), Database::new());
    let query = "SELECT c.table_name || '.' || column_name || ' ' || upper(data_type) || \
         CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END AS name FROM information_schema.columns AS c \
         JOIN information_schema.tables AS t USING (table_schema, table_name) WHERE table_schema = current_schema() \
         AND table_type = 'BASE TABLE' AND left(table_name, 1) <> '_' AND table_name <> 'active_master'";
    let mut of_server = by_table(names(&mut client(&server), query));
    assert_eq!(of_server.len(), 24, "{:?}", of_server.keys());
    assert_eq!(of_server.remove("tally"), of_file(file.url.place()).remove("tally"));
    for (table, columns) in of_file(file.url.place()) {
        if table != "tally" {
            assert_eq!(of_server.remove(&table), Some(columns), "{table}");
        }
    }
    assert!(of_server.is_empty(), "{of_server:?}");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn every_text_is_compared_by_its_bytes() {
    let database = Database::new();
    let query = "SELECT table_name || '.' || column_name AS name FROM information_schema.columns WHERE data_type = 'text' \
         AND table_schema = current_schema() AND collation_name IS DISTINCT FROM 'C' AND table_name <> 'catalog'";
    assert!(names(&mut client(&database), query).is_empty());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn many_rows_and_blocks_of_bytes_arrive_as_they_are() {
    let mut database = Database::new();
    let file = database.file_of("shop");
    let rows: Vec<_> = (0..20_000).map(|no| product(&format!("{no:05}"), "\\ \"{},NULL")).collect();
    database.store.insert_products(&rows, 7).unwrap();
    let mut client = client(&database);
    let query =
        "SELECT count(*) || ' ' || min(sku) || ' ' || max(name) || ' ' || sum(first_seen) AS name FROM products";
    assert_eq!(names(&mut client, query), ["20000 00000 \\ \"{},NULL 140000"]);
    database.store.insert_pages(file, [page("a", 0), page("b", 255)]).unwrap();
    assert_eq!(database.store.page_contents(file, &["b"]).unwrap(), [(vec![255; 20_000], vec![255; 3])]);
    let source = database.store.sources().unwrap()[0].id;
    assert_ne!(put(&mut database.store, "other", source, "a.csv"), file);
}
