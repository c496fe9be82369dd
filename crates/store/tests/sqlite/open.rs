//! Opening a database: creating it, refusing files that are not one, and reading beside a writer.

use std::fs;

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use tempfile::TempDir;
use tributary_store::{Error, Store};

use crate::{Database, product, url_of};

/// A server hands its stores from thread to thread.
const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Store>();
};

#[test]
fn a_path_that_cannot_be_a_database_is_refused_with_the_reason() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    fs::write(folder.path().join("text.db"), "sku,name\n".repeat(1_000)).unwrap();
    fs::write(folder.path().join("empty.db"), "").unwrap();

    let check = |name: &str, reading: &str, writing: Option<&str>| {
        let url = url_of(&folder, name);
        let error = Store::open_existing(&url).err().expect(name).to_string();
        assert!(error.contains(reading) && error.contains(name), "reading {name}: {error}");
        match (Store::open(&url).err(), writing) {
            (Some(error), Some(part)) => assert!(error.to_string().contains(part), "writing {name}: {error}"),
            (None, None) => {}
            (found, expect) => panic!("writing {name}: found {found:?}, expected {expect:?}"),
        }
    };
    check("folder", "is a folder", Some("is a folder"));
    check("text.db", "is not a SQLite database", Some("is not a SQLite database"));
    check("none/x.db", "there is no database", Some("its folder does not exist"));
    check("empty.db", "is not set up yet", None);
    check("new.db", "there is no database", None);
}

#[test]
fn reading_never_creates_a_file() {
    let folder = TempDir::new().unwrap();
    assert!(matches!(Store::open_existing(&url_of(&folder, "x.db")), Err(Error::Missing { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn names_that_sqlite_reads_as_something_else_are_just_names() {
    let folder = TempDir::new().unwrap();
    for name in ["a b.db", "what?mode=memory", "#1.db", "50%25.db", "file:x.db"] {
        let url = url_of(&folder, name);
        drop(Store::open(&url).unwrap());
        assert!(folder.path().join(name).is_file(), "{name}");
        assert!(Store::open_existing(&url).is_ok(), "{name}");
    }
}

#[test]
fn another_schema_is_refused_with_the_reason() {
    let check = |sql: &str, expect: &str, needs_setup: Option<bool>| {
        let database = Database::file();
        let path = database.url.place().to_str().unwrap().to_owned();
        SqliteConnection::establish(&path).unwrap().batch_execute(sql).unwrap();
        let error = Store::open_existing(&database.url).err().expect(sql).to_string();
        assert!(error.contains(expect), "{sql}: {error}");
        assert_eq!(Store::needs_setup(&database.url).ok(), needs_setup, "{sql}");
    };
    check("DROP TABLE __diesel_schema_migrations", "is not set up yet", Some(true));
    check("DELETE FROM __diesel_schema_migrations", "is not set up yet", Some(true));
    check(
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')",
        "newer version of tributary (migration 29991231000000)",
        None,
    );
}

#[test]
fn a_newer_schema_is_not_opened_for_writing_either() {
    let database = Database::file();
    SqliteConnection::establish(database.url.place().to_str().unwrap())
        .unwrap()
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')")
        .unwrap();
    assert!(matches!(Store::open(&database.url), Err(Error::NewerSchema { .. })));
}

#[test]
fn a_set_up_database_needs_no_setup() {
    let folder = TempDir::new().unwrap();
    let url = url_of(&folder, "x.db");
    assert!(Store::needs_setup(&url).unwrap());
    drop(Store::open(&url).unwrap());
    assert!(!Store::needs_setup(&url).unwrap());
    assert!(Store::open(&url).is_ok(), "opening twice changes nothing");
}

#[test]
fn a_reader_cannot_write() {
    let database = Database::file();
    let mut reader = Store::open_existing(&database.url).unwrap();
    assert!(matches!(reader.insert_products(&[product("1", "a")], 0), Err(Error::Query { .. })));
}

#[test]
fn the_writer_is_set_up_to_keep_what_it_committed() {
    let database = Database::file();
    let bytes = fs::read(database.url.place()).unwrap();
    assert_eq!(u16::from_be_bytes([bytes[16], bytes[17]]), 8_192, "page size in the file's header");
    assert_eq!(bytes[18], 2, "write-ahead log in the file's header");
    assert!(database.folder.path().join("database.db-wal").exists());
}

#[test]
fn a_reader_learns_that_others_have_committed_and_holds_nobody_up() {
    let mut database = Database::file();
    let mut reader = Store::open_existing(&database.url).unwrap();
    let before = reader.data_version().unwrap();
    assert_eq!(reader.data_version().unwrap(), before, "nothing was committed");
    let rolled_back = database.store.transaction::<(), Error>(|store| {
        store.insert_products(&[product("1", "a")], 0)?;
        Err(Error::Missing { path: "none".into() })
    });
    assert!(rolled_back.is_err());
    assert_eq!(reader.data_version().unwrap(), before, "a version that is rolled back is none");
    database.store.insert_products(&[product("2", "a")], 0).unwrap();
    assert_ne!(reader.data_version().unwrap(), before);
    // A transaction of the reader would keep the log from being emptied.
    let mut other = SqliteConnection::establish(database.url.place().to_str().unwrap()).unwrap();
    other.batch_execute("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let log = fs::metadata(database.folder.path().join("database.db-wal")).unwrap();
    assert_eq!(log.len(), 0);
}
