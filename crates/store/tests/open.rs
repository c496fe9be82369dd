//! Opening a database: creating it, refusing what is none, reading beside a writer, and transactions.

use std::fs;

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use tempfile::TempDir;
use tributary_store::{Error, Store};

use crate::{Database, product, url_of};

/// The stores of a server are handed from thread to thread.
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
    check("empty.db", "was not set up yet", None);
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
fn another_schema_is_told_from_ours() {
    let check = |sql: &str, expect: &str, needs_setup: Option<bool>| {
        let database = Database::new();
        let path = database.url.path().to_str().unwrap().to_owned();
        SqliteConnection::establish(&path).unwrap().batch_execute(sql).unwrap();
        let error = Store::open_existing(&database.url).err().expect(sql).to_string();
        assert!(error.contains(expect), "{sql}: {error}");
        assert_eq!(Store::needs_setup(&database.url).ok(), needs_setup, "{sql}");
    };
    check("DROP TABLE __diesel_schema_migrations", "was not set up yet", Some(true));
    check("DELETE FROM __diesel_schema_migrations", "was not set up yet", Some(true));
    check(
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')",
        "newer version of tributary (migration 29991231000000)",
        None,
    );
}

#[test]
fn a_newer_schema_is_not_opened_for_writing_either() {
    let database = Database::new();
    SqliteConnection::establish(database.url.path().to_str().unwrap())
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
    let database = Database::new();
    let mut reader = Store::open_existing(&database.url).unwrap();
    assert!(matches!(reader.insert_products(&[product("1", "a")]), Err(Error::Query { .. })));
}

#[test]
fn a_reader_sees_whole_transactions_only() {
    let mut database = Database::new();
    let url = database.url.clone();
    let count = |url| Store::open_existing(url).unwrap().counts().unwrap().products;
    database
        .store
        .transaction::<_, Error>(|store| {
            store.insert_products(&[product("1", "a"), product("2", "b")])?;
            assert_eq!(count(&url), 0, "a reader opened beside an open transaction");
            Ok(())
        })
        .unwrap();
    assert_eq!(count(&url), 2);
}

#[test]
fn a_transaction_has_the_right_to_write_from_its_beginning_and_a_snapshot_never() {
    let mut database = Database::new();
    // A connection of its own that does not wait.
    let mut other = SqliteConnection::establish(database.url.path().to_str().unwrap()).unwrap();
    let mut other_may_write = || other.batch_execute("BEGIN IMMEDIATE; ROLLBACK").is_ok();
    let inside = database.store.transaction::<_, Error>(|_| Ok(other_may_write())).unwrap();
    assert!(!inside, "another began to write");
    let inside = database.store.snapshot::<_, Error>(|store| store.counts().map(|_| other_may_write())).unwrap();
    assert!(inside, "a reader kept a writer waiting");
}

#[test]
fn a_snapshot_stands_still_while_others_write() {
    let mut database = Database::new();
    let mut reader = Store::open_existing(&database.url).unwrap();
    let counts = reader.snapshot::<_, Error>(|reader| {
        let before = reader.counts()?.products;
        database.store.insert_products(&[product("1", "a")])?;
        Ok((before, reader.counts()?.products))
    });
    assert_eq!(counts.unwrap(), (0, 0));
    assert_eq!(reader.counts().unwrap().products, 1);
}

#[test]
fn a_failed_transaction_leaves_nothing_behind() {
    let mut database = Database::new();
    let failed = database.store.transaction::<(), Error>(|store| {
        store.insert_products(&[product("1", "a")])?;
        store.insert_products(&[product("1", "again")])
    });
    let error = failed.unwrap_err();
    assert_eq!(error.to_string(), "cannot insert \"1\" into products");
    assert_eq!(database.products(), []);
    database.store.transaction::<_, Error>(|store| store.insert_products(&[product("1", "a")])).unwrap();
    assert_eq!(database.products().len(), 1);
}

#[test]
fn the_error_of_the_caller_comes_through() {
    #[derive(Debug)]
    enum Caller {
        Stopped,
        Store(#[allow(dead_code)] Error),
    }
    impl From<Error> for Caller {
        fn from(error: Error) -> Caller {
            Caller::Store(error)
        }
    }
    let mut database = Database::new();
    let result: Result<(), Caller> = database.store.transaction(|_| Err(Caller::Stopped));
    assert!(matches!(result, Err(Caller::Stopped)));
}

#[test]
fn the_writer_is_set_up_to_keep_what_it_committed() {
    let database = Database::new();
    let bytes = fs::read(database.url.path()).unwrap();
    assert_eq!(u16::from_be_bytes([bytes[16], bytes[17]]), 8_192, "page size in the file's header");
    assert_eq!(bytes[18], 2, "write-ahead log in the file's header");
    assert!(database.folder.path().join("database.db-wal").exists());
}
