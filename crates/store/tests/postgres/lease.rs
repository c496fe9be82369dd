//! The lock that makes one master active, and what a master without it can no longer do.

use std::{
    thread,
    time::{Duration, Instant},
};

use diesel::connection::SimpleConnection;
use tributary_store::{Error, Lock, ReaderPool, Store};

use super::{client, names};
use crate::{Database, product};

/// Ends the sessions whose names begin so, in the schema of a database. Returns how many.
fn end_sessions(database: &Database, name: &str) -> usize {
    let query = format!(
        "SELECT pid::text AS name FROM (SELECT pid FROM pg_stat_activity WHERE application_name = '{name} ' || \
         current_schema()::regnamespace::oid OFFSET 0) AS these WHERE pg_terminate_backend(pid, 5000)"
    );
    names(&mut client(database), &query).len()
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn write(store: &mut Store, sku: &str) -> Result<(), Error> {
    store.transaction(|store| store.insert_products(&[product(sku, "a")], 0))
}

#[test]
#[ignore = "needs PostgreSQL"]
fn the_second_is_refused_and_follows_once_the_first_has_gone() {
    let database = Database::new();
    // Whoever becomes active ends the sessions of those who wrote before.
    let mut reader = Store::open_existing(&database.url).unwrap();
    let first = Lock::acquire_at(&database.url, "master", Some("https://shop.example")).unwrap();
    let active = reader.active_master().unwrap().unwrap();
    assert_eq!((active.epoch, active.public_url.as_deref()), (1, Some("https://shop.example")));
    let Err(Error::Locked { holder, .. }) = Lock::acquire(&database.url, "starter") else {
        panic!("it was taken twice")
    };
    assert!(holder.starts_with("master, process ") && holder.contains(", since 2"), "{holder}");
    drop(first);
    assert_eq!(reader.active_master().unwrap(), None);
    let _second = Lock::acquire(&database.url, "starter").unwrap();
    assert_eq!(reader.active_master().unwrap().unwrap().epoch, 2);
}

/// Readers used to send changes to the address of a dead master for as long as its successor prepared.
#[test]
#[ignore = "needs PostgreSQL"]
fn nobody_is_active_until_the_new_holder_is_ready() {
    let database = Database::new();
    let mut reader = Store::open_existing(&database.url).unwrap();
    let first = Lock::acquire_at(&database.url, "master", Some("https://first.example")).unwrap();
    let address = |reader: &mut Store| reader.active_master().unwrap().and_then(|active| active.public_url);
    assert_eq!(address(&mut reader).as_deref(), Some("https://first.example"));
    // Keeps the first from taking it again, and the second from becoming ready.
    let (mut locking, mut client) = (client(&database), client(&database));
    locking.batch_execute("BEGIN; LOCK TABLE active_master IN SHARE MODE").unwrap();
    let url = database.url.clone();
    let second = thread::spawn(move || {
        let mut taken = None;
        wait_for("it is taken", || {
            taken = Lock::acquire_at(&url, "standby", Some("https://second.example")).ok();
            taken.is_some()
        });
        taken
    });
    let waits = "SELECT pid::text AS name FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                 AND query LIKE 'UPDATE%active_master%' AND application_name = 'tributary lease ' || \
                 current_schema()::regnamespace::oid";
    let mut ended: Option<Instant> = None;
    wait_for("the second has the lock and waits for the row", || {
        // The first takes it again if it is quicker.
        if ended.is_none_or(|ended| ended.elapsed() > Duration::from_secs(5)) {
            end_sessions(&database, "tributary lease");
            ended = Some(Instant::now());
        }
        !names(&mut client, waits).is_empty()
    });
    assert_eq!(address(&mut reader), None);
    locking.batch_execute("COMMIT").unwrap();
    let second = second.join().unwrap();
    assert_eq!(address(&mut reader).as_deref(), Some("https://second.example"));
    drop((first, second));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn who_has_lost_the_lock_to_another_writes_nothing_more() {
    let database = Database::new();
    let first = Lock::acquire(&database.url, "master").unwrap();
    let (mut early, mut late) = (first.open_store().unwrap(), first.open_store().unwrap());
    write(&mut early, "1").unwrap();
    // Another takes over while a transaction is open.
    let mut second = None;
    let within: Result<(), Error> = early.transaction(|early| {
        early.insert_products(&[product("2", "a")], 0)?;
        assert_eq!(end_sessions(&database, "tributary lease"), 1);
        second = Some(Lock::acquire(&database.url, "standby").unwrap());
        Ok(())
    });
    assert!(within.is_err(), "it was committed");
    for store in [&mut early, &mut late] {
        assert!(write(store, "3").is_err());
        let error = store.probe_write().unwrap_err();
        assert!(matches!(error, Error::Deposed { .. }), "{error}");
        assert_eq!(error.unwritable(), Some("another master has taken over"));
        assert!(matches!(write(store, "4"), Err(Error::Deposed { .. })));
    }
    let watch = first.watch();
    wait_for("the first learns of it", || watch.is_deposed());
    assert_eq!(Store::open_existing(&database.url).unwrap().counts().unwrap().products, 1);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn who_lost_its_session_to_nobody_goes_on() {
    let database = Database::new();
    let lock = Lock::acquire(&database.url, "master").unwrap();
    let mut store = lock.open_store().unwrap();
    assert_eq!(end_sessions(&database, "tributary lease"), 1);
    write(&mut store, "1").unwrap();
    let held = "SELECT l.pid::text AS name FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid WHERE locktype = 'advisory' \
         AND application_name = 'tributary lease ' || current_schema()::regnamespace::oid";
    let mut client = client(&database);
    wait_for("it takes the lock again", || !names(&mut client, held).is_empty());
    assert!(matches!(Lock::acquire(&database.url, "standby"), Err(Error::Locked { .. })));
    write(&mut store, "2").unwrap();
    assert!(!lock.watch().is_deposed());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_lost_session_is_opened_again() {
    let database = Database::new();
    let lock = Lock::acquire(&database.url, "master").unwrap();
    let mut store = lock.open_store().unwrap();
    assert_eq!(end_sessions(&database, "tributary writer"), 1);
    write(&mut store, "1").unwrap();
    // In the middle of a transaction.
    let within: Result<(), Error> = store.transaction(|store| {
        store.insert_products(&[product("2", "a")], 0)?;
        assert_eq!(end_sessions(&database, "tributary writer"), 1);
        store.insert_products(&[product("3", "a")], 0)
    });
    assert_eq!(within.unwrap_err().unwritable(), Some("its server cannot be reached"));
    write(&mut store, "4").unwrap();
    // At its end.
    let within: Result<(), Error> = store.transaction(|store| {
        store.insert_products(&[product("5", "a")], 0)?;
        assert_eq!(end_sessions(&database, "tributary writer"), 1);
        Ok(())
    });
    assert_eq!(within.unwrap_err().unwritable(), Some("its server cannot be reached"));
    assert_eq!(store.counts().unwrap().products, 2);
    let readers = ReaderPool::new(database.url.clone());
    let count = || readers.snapshot(|reader| reader.counts()).unwrap().products;
    assert_eq!(count(), 2);
    assert_eq!(end_sessions(&database, "tributary reader"), 1);
    assert_eq!(count(), 2, "a reader asks again");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn the_holder_of_the_lock_writes_only_in_transactions() {
    let database = Database::new();
    let lock = Lock::acquire(&database.url, "master").unwrap();
    let mut store = lock.open_store().unwrap();
    for _ in 0..2 {
        // Outside of one, nothing would check that it still has the lock.
        assert!(store.insert_products(&[product("1", "a")], 0).is_err());
        assert_eq!(end_sessions(&database, "tributary writer"), 1);
        write(&mut store, "2")
            .and_then(|()| store.transaction(|store| store.delete_products(&["2"]).map(drop)))
            .unwrap();
    }
}
