//! A copy of a database while others write it.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use rusqlite::Connection;
use tributary_store::{DocumentRow, DocumentState, Error, Place, Snapshot, StandingDocument, Store};

use crate::{Database, product, url_of};

/// All rows of all tables, as text.
fn contents(path: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = Connection::open(path).unwrap();
    let texts = |query: &str| -> Vec<String> {
        let mut query = connection.prepare(query).unwrap();
        let columns = query.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            Ok((0..columns).map(|at| format!("{:?} ", row.get_ref(at).unwrap())).collect::<String>())
        };
        query.query_map([], row).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(texts("PRAGMA integrity_check").len(), 1);
    let mut names = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let table = |name: String| (name.clone(), texts(&format!("SELECT * FROM \"{name}\"")));
    let mut found: BTreeMap<_, _> = names.into_iter().map(table).collect();
    found.insert("schema".to_owned(), texts("SELECT sql FROM sqlite_schema ORDER BY name"));
    found
}

#[test]
fn a_copy_is_the_whole_database_of_one_moment() {
    let mut database = Database::file();
    database.file_of("north");
    let path = database.folder.path().join("copy");
    let is_over = AtomicBool::new(false);
    let (url, store) = (database.url.clone(), &mut database.store);
    store.insert_products(&(0..500).map(|sku| product(&format!("a{sku:04}"), "n")).collect::<Vec<_>>(), 0).unwrap();
    let snapshot = Snapshot::open(&url).unwrap();
    let before = contents(url.place());
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !is_over.load(Ordering::Relaxed) || number < 20 {
                number += 1;
                store.insert_products(&[product(&format!("b{number:06}"), "later")], 0).unwrap();
            }
        });
        snapshot.copy_to(&path).unwrap();
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(contents(&path), before);
    assert_ne!(contents(url.place()), before, "others wrote meanwhile");
    assert!(matches!(snapshot.copy_to(database.folder.path()), Err(Error::Copy { .. })));
}

#[test]
fn a_snapshot_names_the_documents_that_have_a_file() {
    let mut database = Database::file();
    let mut put = |id: &str, path: &str, place: Option<Place>| {
        let row = DocumentRow {
            state: DocumentState::Complete,
            place,
            hash: Some(format!("blake3:{id}")),
            ..DocumentRow::new(id, path, "2026-11-29T00:00:00Z")
        };
        database.store.insert_document(&row).unwrap();
    };
    put("1", "b.csv", Some(Place::Current));
    put("2", "b.csv", Some(Place::Next));
    put("3", "a.csv", Some(Place::Current));
    put("4", "c.csv", None);
    let named = Snapshot::open(&database.url).unwrap().standing_documents().unwrap();
    let document = |id: &str, path: &str| StandingDocument {
        id: id.to_owned(),
        path: path.to_owned(),
        hash: Some(format!("blake3:{id}")),
    };
    assert_eq!(named, [document("3", "a.csv"), document("1", "b.csv"), document("2", "b.csv")]);
}

#[test]
fn what_is_no_database_of_this_version_has_no_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Snapshot::open(&url_of(&folder, "none.db"));
    assert!(matches!(missing.err().unwrap(), Error::Missing { .. }));
    let url = url_of(&folder, "new.db");
    drop(Store::open(&url).unwrap());
    let insert = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
    Connection::open(url.place()).unwrap().execute_batch(insert).unwrap();
    let newer = Snapshot::open(&url).err().unwrap().to_string();
    assert!(newer.contains("was changed by a newer version of tributary (migration 99990101000000)"), "{newer}");
}

#[test]
fn a_damaged_database_is_not_copied() {
    let mut database = Database::file();
    database
        .store
        .insert_products(&(0..5_000).map(|sku| product(&format!("{sku:05}"), "n")).collect::<Vec<_>>(), 0)
        .unwrap();
    drop(database.store);
    let mut bytes = std::fs::read(database.url.place()).unwrap();
    // The last page, which is one of the products.
    let last = bytes.len() - 8_192;
    bytes[last..].fill(0xff);
    std::fs::write(database.url.place(), bytes).unwrap();
    let snapshot = Snapshot::open(&database.url).unwrap();
    assert!(matches!(snapshot.copy_to(&database.folder.path().join("copy")), Err(Error::Copy { .. })));
}
