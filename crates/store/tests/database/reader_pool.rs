//! Reading connections that are kept open between uses.

use std::{
    sync::{Barrier, Mutex},
    thread,
    time::Duration,
};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use tempfile::TempDir;
use tributary_store::{Error, ReaderPool, Store};

use crate::{Database, product, url_of};

fn products(pool: &ReaderPool) -> Result<i64, Error> {
    pool.snapshot(|store| Ok(store.counts()?.products))
}

fn execute(database: &Database, sql: &str) {
    SqliteConnection::establish(database.url.place().to_str().unwrap()).unwrap().batch_execute(sql).unwrap();
}

#[test]
fn each_use_sees_the_tables_as_they_are_now() {
    let mut database = Database::new();
    let pool = ReaderPool::new(database.url.clone());
    assert_eq!(products(&pool).unwrap(), 0);
    database.store.insert_products(&[product("1", "a")], 0).unwrap();
    assert_eq!(products(&pool).unwrap(), 1);
    let within: Result<_, Error> = pool.snapshot(|store| {
        store.counts()?;
        database.store.insert_products(&[product("2", "b")], 0)?;
        Ok(store.counts()?.products)
    });
    assert_eq!((within.unwrap(), products(&pool).unwrap()), (1, 2));
}

#[test]
fn the_schema_is_checked_once() {
    let database = Database::file();
    let pool = ReaderPool::new(database.url.clone());
    products(&pool).unwrap();
    execute(&database, "DROP TABLE __diesel_schema_migrations");
    assert!(Store::open_existing(&database.url).is_err());
    // The second is a new connection, because the first is in use.
    let nested: Result<_, Error> = pool.snapshot(|_| Ok((products(&pool)?, products(&pool)?)));
    assert_eq!(nested.unwrap(), (0, 0));
    assert!(products(&ReaderPool::new(database.url)).is_err());
}

#[test]
fn a_database_that_is_not_there_is_looked_for_each_time() {
    let folder = TempDir::new().unwrap();
    let url = url_of(&folder, "x.db");
    let pool = ReaderPool::new(url.clone());
    assert!(matches!(products(&pool), Err(Error::Missing { .. })));
    drop(Store::open(&url).unwrap());
    assert_eq!(products(&pool).unwrap(), 0);
}

#[test]
fn a_pool_reads_on_after_an_error_and_after_a_panic() {
    let database = Database::new();
    let pool = ReaderPool::new(database.url);
    let failed: Result<(), Error> = pool.snapshot(|_| Err(Error::Corrupt { what: "x".to_owned() }));
    assert!(failed.unwrap_err().to_string().contains("contradicts itself: x"));
    let other = pool.clone();
    let panicked = thread::spawn(move || other.snapshot(|_| -> Result<(), Error> { panic!("on purpose") }));
    assert!(panicked.join().is_err());
    assert_eq!(products(&pool).unwrap(), 0);
}

#[test]
fn many_threads_read_at_once_and_none_writes() {
    let database = Database::new();
    let pool = ReaderPool::new(database.url);
    let (all_inside, counts) = (Barrier::new(16), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let read: Result<_, Error> = pool.snapshot(|store| {
                    all_inside.wait();
                    let counted = store.counts()?.products;
                    assert!(store.insert_products(&[product("1", "a")], 0).is_err());
                    Ok(counted)
                });
                counts.lock().unwrap().push(read.unwrap());
            });
        }
    });
    assert_eq!(counts.into_inner().unwrap(), [0; 16]);
}

#[test]
fn connections_that_nobody_uses_are_closed() {
    let database = Database::new();
    let pool = ReaderPool::new(database.url);
    let nested: Result<_, Error> = pool.snapshot(|_| products(&pool));
    nested.unwrap();
    assert_eq!(pool.close_idle(Duration::from_secs(3600)), 0, "both were just used");
    assert_eq!(pool.close_idle(Duration::ZERO), 2);
    assert_eq!(pool.close_idle(Duration::ZERO), 0);
    assert_eq!(products(&pool).unwrap(), 0, "another is opened");
}
