//! Transactions and snapshots.

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use tributary_store::{Error, Store};

use crate::{Database, product};

#[test]
fn a_reader_sees_whole_transactions_only() {
    let mut database = Database::new();
    let url = database.url.clone();
    let count = |url| Store::open_existing(url).unwrap().counts().unwrap().products;
    database
        .store
        .transaction::<_, Error>(|store| {
            store.insert_products(&[product("1", "a"), product("2", "b")], 0)?;
            assert_eq!(count(&url), 0, "a reader opened beside an open transaction");
            Ok(())
        })
        .unwrap();
    assert_eq!(count(&url), 2);
}

#[test]
fn a_transaction_has_the_right_to_write_from_its_beginning_and_a_snapshot_never() {
    let mut database = Database::file();
    // A connection of its own that does not wait.
    let mut other = SqliteConnection::establish(database.url.place().to_str().unwrap()).unwrap();
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
        database.store.insert_products(&[product("1", "a")], 0)?;
        Ok((before, reader.counts()?.products))
    });
    assert_eq!(counts.unwrap(), (0, 0));
    assert_eq!(reader.counts().unwrap().products, 1);
}

#[test]
fn a_failed_transaction_leaves_nothing_behind() {
    let mut database = Database::new();
    let failed = database.store.transaction::<(), Error>(|store| {
        store.insert_products(&[product("1", "a")], 0)?;
        store.insert_products(&[product("1", "again")], 0)
    });
    let error = failed.unwrap_err();
    assert_eq!(error.to_string(), "cannot insert \"1\" into products");
    assert_eq!(database.products(), []);
    database.store.transaction::<_, Error>(|store| store.insert_products(&[product("1", "a")], 0)).unwrap();
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
