//! The lock of the single writer.

use std::{
    fs,
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tempfile::TempDir;
use tributary_store::{ActiveMaster, Error, Lock, Store, spool_path};

use crate::url_of;

#[test]
fn the_second_is_refused_and_learns_who_holds_it() {
    let folder = TempDir::new().unwrap();
    let url = url_of(&folder, "x.db");
    let first = Lock::acquire(&url, "master --once").unwrap();
    let error = Lock::acquire(&url, "starter --reset").unwrap_err();
    let Error::Locked { holder, .. } = &error else { panic!("{error}") };
    let process = format!("master --once, process {}, since 2", std::process::id());
    assert!(holder.starts_with(&process), "{holder}");
    assert!(error.to_string().contains("x.db is in use by master --once"), "{error}");

    drop(first);
    let longer = Lock::acquire(&url, "m").unwrap();
    let Error::Locked { holder, .. } = Lock::acquire(&url, "starter").unwrap_err() else { panic!("another error") };
    assert!(
        holder.starts_with("m, process ") && holder.lines().count() == 1,
        "nothing of the longer text is left: {holder}"
    );
    drop(longer);
}

#[test]
fn a_reader_learns_who_writes_as_long_as_it_does() {
    let folder = TempDir::new().unwrap();
    let url = url_of(&folder, "x.db");
    drop(Store::open(&url).unwrap());
    let mut reader = Store::open_existing(&url).unwrap();
    assert_eq!(reader.active_master().unwrap(), None, "nobody ever had the lock");
    let lock = Lock::acquire_at(&url, "master", Some("https://shop.example")).unwrap();
    let Some(ActiveMaster { holder, public_url, since, .. }) = reader.active_master().unwrap() else {
        panic!("the lock is held")
    };
    assert_eq!(holder, Some(format!("master, process {}", std::process::id())));
    assert_eq!(public_url.as_deref(), Some("https://shop.example"));
    assert!(since.as_ref().is_some_and(|since| since.starts_with('2') && since.ends_with('Z')), "{since:?}");
    drop(lock);
    assert_eq!(reader.active_master().unwrap(), None, "its text is still there");
    let _lock = Lock::acquire(&url, "starter").unwrap();
    assert_eq!(reader.active_master().unwrap().and_then(|active| active.public_url), None);
}

#[test]
fn those_who_ask_who_writes_keep_nobody_from_the_lock() {
    let folder = TempDir::new().unwrap();
    let url = url_of(&folder, "x.db");
    drop(Store::open(&url).unwrap());
    drop(Lock::acquire(&url, "master").unwrap());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let ask = || {
            let mut reader = Store::open_existing(&url).unwrap();
            while !is_over.load(Ordering::Relaxed) {
                reader.active_master().unwrap();
                thread::yield_now();
            }
        };
        scope.spawn(ask);
        let taken: Vec<_> = (0..50).map(|_| Lock::acquire(&url, "master").map(drop)).collect();
        is_over.store(true, Ordering::Relaxed);
        assert!(taken.iter().all(Result::is_ok), "{taken:?}");
    });
}

#[test]
fn two_names_of_one_database_have_one_lock() {
    let folder = TempDir::new().unwrap();
    let url = url_of(&folder, "x.db");
    drop(Store::open(&url).unwrap());
    symlink(url.place(), folder.path().join("link.db")).unwrap();
    let _lock = Lock::acquire(&url, "master").unwrap();
    assert!(matches!(Lock::acquire(&url_of(&folder, "link.db"), "starter"), Err(Error::Locked { .. })));
}

/// SQLite keeps a log for each name, so two processes damaged the database.
#[test]
fn a_database_with_a_hard_link_is_refused() {
    let folder = TempDir::new().unwrap();
    let url = url_of(&folder, "x.db");
    drop(Store::open(&url).unwrap());
    fs::hard_link(url.place(), folder.path().join("hard.db")).unwrap();
    let error = Lock::acquire(&url_of(&folder, "hard.db"), "master").unwrap_err();
    assert!(matches!(error, Error::ManyNames { .. }) && error.to_string().contains("hard.db"), "{error}");
    assert!(!folder.path().join("hard.db.lock").exists());
    fs::remove_file(folder.path().join("hard.db")).unwrap();
    assert!(Lock::acquire(&url, "master").is_ok());
}

#[test]
fn a_deleted_lock_file_lets_nobody_in() {
    let folder = TempDir::new().unwrap();
    let url = url_of(&folder, "x.db");
    let spool = spool_path(url.place());
    fs::create_dir(&spool).unwrap();
    let lock = Lock::acquire(&url, "master").unwrap();
    lock.folders().acquire(&spool).unwrap();
    fs::remove_file(folder.path().join("x.db.lock")).unwrap();
    assert!(matches!(Lock::acquire(&url, "master"), Err(Error::Locked { .. })));
    drop(lock);
    assert!(Lock::acquire(&url, "master").is_ok());
}

#[test]
fn a_folder_is_held_as_long_as_the_lock() {
    let folder = TempDir::new().unwrap();
    let uploads = folder.path().join("uploads");
    fs::create_dir(&uploads).unwrap();
    let [first, second] = ["a.db", "b.db"].map(|name| Lock::acquire(&url_of(&folder, name), "master").unwrap());
    let folders = first.folders();
    folders.acquire(&uploads).unwrap();
    folders.acquire(&uploads).unwrap();
    let error = second.folders().acquire(&uploads).unwrap_err();
    assert!(matches!(error, Error::FolderLocked { .. }) && error.to_string().contains("uploads"), "{error}");
    drop(first);
    second.folders().acquire(&uploads).unwrap();
    folders.acquire(&uploads).unwrap();
}

#[test]
fn a_lock_needs_a_folder_but_no_database() {
    let folder = TempDir::new().unwrap();
    assert!(Lock::acquire(&url_of(&folder, "new.db"), "master").is_ok());
    assert!(matches!(Lock::acquire(&url_of(&folder, "none/x.db"), "master"), Err(Error::NoFolder { .. })));
    let here = url_of(&folder, "");
    assert!(matches!(Lock::acquire(&here, "master"), Err(Error::IsFolder { .. })));
}

#[test]
fn a_lock_does_not_keep_readers_out() {
    let folder = TempDir::new().unwrap();
    let url = url_of(&folder, "x.db");
    let _lock = Lock::acquire(&url, "master").unwrap();
    let _writer = Store::open(&url).unwrap();
    assert!(Store::open_existing(&url).is_ok());
}
