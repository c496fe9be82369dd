//! Files: written, and found by source, path, id or state.

use tributary_store::{Error, FileRow, FileState};

use crate::Database;

#[test]
fn files_are_found_by_source_in_the_order_of_their_paths() {
    let mut database = Database::new();
    let store = &mut database.store;
    let north = store.put_source("north", "http://n", 0, 0).unwrap();
    let south = store.put_source("south", "http://s", 0, 1).unwrap();
    for (source, path) in [(south, "a.csv"), (north, "b.csv"), (north, "a/c.csv"), (north, "B.csv")] {
        store.insert_file(source, path).unwrap();
    }
    let paths = |rows: Vec<FileRow>| rows.into_iter().map(|row| row.path).collect::<Vec<_>>();
    assert_eq!(paths(store.files(north).unwrap()), ["B.csv", "a/c.csv", "b.csv"]);
    let error = store.insert_file(north, "b.csv").unwrap_err();
    assert_eq!(error.to_string(), "cannot insert the file \"b.csv\"");
}

#[test]
fn every_column_of_a_file_is_stored_and_can_become_null_again() {
    let mut database = Database::new();
    let store = &mut database.store;
    let source_id = store.put_source("north", "http://n", 0, 0).unwrap();
    let text = |words: &str| Some(words.to_owned());
    let fresh = store.insert_file(source_id, "b.csv").unwrap();
    let mut row = FileRow {
        id: fresh.id,
        source_id,
        path: "b.csv".to_owned(),
        hash: text("blake3:00"),
        reading: text("r1"),
        size_bytes: 1,
        row_count: 2,
        offers: 3,
        rejects: 4,
        state: FileState::Applied,
        rejected_hash: text("blake3:01"),
        rejected_reading: text("r2"),
        rejected_reason: text("no header"),
        rank_key: "k".to_owned(),
        repaired: 5,
        replaced: 6,
        notes: text("a guess"),
    };
    store.update_file(&row).unwrap();
    assert_eq!(store.files(source_id).unwrap(), [row.clone()]);
    row = FileRow { state: FileState::Rejected, ..fresh };
    store.update_file(&row).unwrap();
    assert_eq!(store.files(source_id).unwrap(), [row.clone()]);
    row.id += 1;
    assert!(matches!(store.update_file(&row), Err(Error::Corrupt { .. })));
}

#[test]
fn a_file_is_found_by_its_source_and_path() {
    let mut database = Database::new();
    let id = database.file("uploads");
    database.file("north");
    assert_eq!(database.store.file_of("uploads", "a.csv").unwrap().map(|file| file.id), Some(id));
    assert_eq!(database.store.file_of("uploads", "b.csv").unwrap(), None);
    assert_eq!(database.store.file_of("south", "a.csv").unwrap(), None);
}

#[test]
fn the_origin_of_a_file_is_its_source_and_path() {
    let mut database = Database::new();
    let store = &mut database.store;
    let source = store.put_source("north", "http://n", 3, 7).unwrap();
    let [first, second] = ["a.csv", "b.csv"].map(|path| store.insert_file(source, path).unwrap().id);
    let origins = store.file_origins(&[second, 999]).unwrap();
    let [origin] = &origins[..] else { panic!("{origins:?}") };
    assert_eq!((origin.id, origin.source.as_str(), origin.path.as_str()), (second, "north", "b.csv"));
    assert_eq!((origin.priority, origin.position), (3, 7));
    assert_eq!(store.file_origins(&[first, second]).unwrap().len(), 2);
    assert!(store.file_origins(&[]).unwrap().is_empty());
    let mut all = store.all_file_origins().unwrap();
    all.sort_by_key(|origin| origin.id);
    assert_eq!(all, store.file_origins(&[first, second]).unwrap());
}

#[test]
fn files_are_found_by_a_set_of_paths() {
    let mut database = Database::new();
    let store = &mut database.store;
    let [north, south] = ["north", "south"].map(|name| store.put_source(name, "http://x", 0, 0).unwrap());
    // More than fit into one statement.
    let paths: Vec<String> = (0..2_500).map(|number| format!("{number:04}.csv")).collect();
    let insert = |store: &mut tributary_store::Store| -> Result<(), Error> {
        paths.iter().step_by(2).try_for_each(|path| store.insert_file(north, path).map(drop))?;
        store.insert_file(south, "0001.csv").map(drop)
    };
    store.transaction(insert).unwrap();
    let mut found = store.files_at(north, &paths).unwrap();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(found, store.files(north).unwrap());
    assert_eq!(found.len(), 1_250);
    let mut found = |source, paths: &[&str]| {
        store.files_at(source, paths).unwrap().into_iter().map(|file| file.path).collect::<Vec<_>>()
    };
    assert_eq!(found(north, &["0001.csv", "0002.csv", "none"]), ["0002.csv"]);
    assert_eq!(found(south, &["0001.csv", "0002.csv"]), ["0001.csv"]);
    assert!(found(north, &[]).is_empty());
    let file = store.file(south, "0001.csv").unwrap().unwrap();
    assert_eq!((file.source_id, file.path.as_str()), (south, "0001.csv"));
    assert_eq!(store.file(south, "0002.csv").unwrap(), None);
}

#[test]
fn a_rejected_file_is_listed_for_its_own_source_only() {
    let mut database = Database::new();
    let store = &mut database.store;
    let [north, south] = ["north", "south"].map(|name| store.put_source(name, "http://x", 0, 0).unwrap());
    let file = store.insert_file(north, "a.csv").unwrap();
    store.insert_file(south, "a.csv").unwrap();
    let mut check = |state: FileState, expect: &[(String, Option<String>)]| {
        let rejected_reason = (state == FileState::Rejected).then(|| "no header".to_owned());
        store.update_file(&FileRow { state, rejected_reason, ..file.clone() }).unwrap();
        assert_eq!(store.rejected_files(north).unwrap(), expect, "{state}");
        assert_eq!(store.rejected_files(south).unwrap(), [], "{state}");
    };
    let rejected = [("a.csv".to_owned(), Some("no header".to_owned()))];
    check(FileState::Changing, &[]);
    check(FileState::Rejected, &rejected);
    check(FileState::Applied, &[]);
    check(FileState::Rejected, &rejected);
    store.delete_file(file.id).unwrap();
    assert_eq!(store.rejected_files(north).unwrap(), []);
}
