//! Files: written, and found by reader, source, path, id or state.

use tributary_store::{Error, FileRow, FileState, Store};

use crate::{Database, FEED, put, strings};

fn sources<const N: usize>(store: &mut Store, names: [&str; N]) -> [i64; N] {
    names.map(|name| store.put_source(name, "http://x", 0, 0).unwrap())
}

fn paths(rows: Vec<FileRow>) -> Vec<String> {
    rows.into_iter().map(|row| row.path).collect()
}

#[test]
fn files_are_found_by_reader_and_source_in_the_order_of_their_paths() {
    let mut database = Database::new();
    let store = &mut database.store;
    // The ids run against the names.
    let [south, north] = sources(store, ["south", "north"]);
    for (reader, source, path) in [
        (FEED, north, "b.csv"),
        (FEED, south, "a.csv"),
        (FEED, north, "a/c.csv"),
        ("sales", north, "b.csv"),
        (FEED, north, "B.csv"),
    ] {
        put(store, reader, source, path);
    }
    assert_eq!(paths(store.files(FEED, north).unwrap()), ["B.csv", "a/c.csv", "b.csv"]);
    assert_eq!(paths(store.files("sales", south).unwrap()), [""; 0]);
    assert_eq!(paths(store.files_of_reader(FEED).unwrap()), ["a.csv", "B.csv", "a/c.csv", "b.csv"]);
    assert_eq!(paths(store.files_of_reader("sales").unwrap()), ["b.csv"]);
    assert_eq!(store.readers().unwrap(), strings(&[FEED, "sales"]));
    assert_eq!(store.sources_of_reader(FEED).unwrap(), strings(&["north", "south"]));
    assert_eq!(store.sources_of_reader("sales").unwrap(), strings(&["north"]));
    assert_eq!(store.sources_of_reader("none").unwrap(), strings(&[]));
    let error = store.put_file(&mut FileRow::new(FEED, north, "b.csv")).unwrap_err();
    assert_eq!(error.to_string(), "cannot store the file \"b.csv\" for \"feed\"");
    assert!(store.put_file(&mut FileRow::new(FEED, 99, "a.csv")).is_err());
}

/// Of PostgreSQL, no path above 2,600 bytes fitted into the index: its source was never applied.
#[test]
fn the_longest_paths_are_told_apart_and_found() {
    let mut database = Database::new();
    let store = &mut database.store;
    let [north] = sources(store, ["north"]);
    // No two signs in a row are alike, so that the server cannot make it shorter.
    let mut random: u64 = 1;
    let mut sign = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from_u32(0x1_0000 + u32::try_from(random >> 44).unwrap() % 0x8000).unwrap()
    };
    let long: String = (0..1_023).map(|_| sign()).collect();
    let [first, second, third] = ["000a", "000b", "c"].map(|end| format!("{long}{end}"));
    assert_eq!(first.len(), 4_096);
    for path in [&third, "a.csv", &second, &first] {
        put(store, FEED, north, path);
    }
    let all = ["a.csv", &first, &second, &third].map(ToOwned::to_owned);
    assert_eq!(paths(store.files(FEED, north).unwrap()), all);
    let mut after: Option<String> = None;
    for path in &all {
        let page = store.files_after(FEED, north, after.as_deref(), 1).unwrap();
        assert_eq!(paths(page), *std::slice::from_ref(path));
        assert_eq!(store.file_of(FEED, "north", path).unwrap().unwrap().path, *path);
        after = Some(path.clone());
    }
    assert_eq!(store.files_after(FEED, north, after.as_deref(), 1).unwrap(), []);
    let mut found = paths(store.files_at(FEED, north, &[&first, &third, &long]).unwrap());
    found.sort();
    assert_eq!(found, [first.clone(), third]);
    assert!(store.put_file(&mut FileRow::new(FEED, north, &first)).is_err(), "the same path twice");
}

#[test]
fn every_column_of_a_file_is_stored_and_can_become_null_again() {
    let mut database = Database::new();
    let store = &mut database.store;
    let [source_id] = sources(store, ["north"]);
    let text = |words: &str| Some(words.to_owned());
    put(store, "sales", source_id, "b.csv");
    let mut fresh = FileRow::new(FEED, source_id, "b.csv");
    let id = store.put_file(&mut fresh).unwrap();
    assert_eq!((fresh.id, fresh.state), (id, FileState::Changing));
    let mut row = FileRow {
        id,
        reader: FEED.to_owned(),
        source_id,
        path: "b.csv".to_owned(),
        hash: text("blake3:00"),
        reading: text("r1"),
        rank_key: "k".to_owned(),
        size_bytes: 1,
        row_count: 2,
        results: 3,
        unused: 6,
        rejects: 4,
        repaired: 5,
        notes: text("a guess"),
        state: FileState::Applied,
        rejected_hash: text("blake3:01"),
        rejected_reading: text("r2"),
        rejected_reason: text("no header"),
        applied_at: text("2026-11-29T12:00:00.000Z"),
        format: text("UTF-8"),
        rejected_header: text("[\"a\"]"),
    };
    assert_eq!(store.put_file(&mut row).unwrap(), id);
    assert_eq!(store.files(FEED, source_id).unwrap(), [row.clone()]);
    row = FileRow { state: FileState::Rejected, ..fresh };
    store.put_file(&mut row).unwrap();
    assert_eq!(store.files(FEED, source_id).unwrap(), [row.clone()]);
    assert_eq!(store.files("sales", source_id).unwrap()[0].state, FileState::Changing);
    // All columns of a new row are stored too.
    row = FileRow { id: 0, path: "c.csv".to_owned(), notes: text("note"), results: 7, ..row };
    store.put_file(&mut row).unwrap();
    assert_eq!(store.file_of(FEED, "north", "c.csv").unwrap().as_ref(), Some(&row));
    row.id += 99;
    assert!(matches!(store.put_file(&mut row), Err(Error::Corrupt { .. })));
}

#[test]
fn a_file_is_found_by_its_reader_source_and_path() {
    let mut database = Database::new();
    let id = database.file_of("uploads");
    database.file_of("north");
    let store = &mut database.store;
    let north = store.sources().unwrap().into_iter().find(|source| source.name == "north").unwrap().id;
    let other = put(store, "sales", north, "a.csv");
    let mut check = |reader, source, path, expect| {
        let found = store.file_of(reader, source, path).unwrap().map(|file| file.id);
        assert_eq!(found, expect, "{reader} {source} {path}");
    };
    check(FEED, "uploads", "a.csv", Some(id));
    check(FEED, "uploads", "b.csv", None);
    check(FEED, "south", "a.csv", None);
    check("sales", "uploads", "a.csv", None);
    check("sales", "north", "a.csv", Some(other));
}

#[test]
fn the_origin_of_a_file_is_its_source_and_path() {
    let mut database = Database::new();
    let store = &mut database.store;
    let source = store.put_source("north", "http://n", 3, 7).unwrap();
    let [first, second] = ["a.csv", "b.csv"].map(|path| put(store, FEED, source, path));
    put(store, "sales", source, "a.csv");
    let origins = store.file_origins(&[second, 999]).unwrap();
    let [origin] = &origins[..] else { panic!("{origins:?}") };
    assert_eq!((origin.id, origin.source.as_str(), origin.path.as_str()), (second, "north", "b.csv"));
    assert_eq!((origin.priority, origin.position), (3, 7));
    assert_eq!(store.file_origins(&[first, second]).unwrap().len(), 2);
    assert!(store.file_origins(&[]).unwrap().is_empty());
    let mut all = store.all_file_origins(FEED).unwrap();
    all.sort_by_key(|origin| origin.id);
    let mut found = store.file_origins(&[first, second]).unwrap();
    found.sort_by_key(|origin| origin.id);
    assert_eq!(all, found);
}

#[test]
fn files_are_found_by_a_set_of_paths() {
    let mut database = Database::new();
    let store = &mut database.store;
    let [north, south] = sources(store, ["north", "south"]);
    // More than fit into one statement.
    let all: Vec<String> = (0..2_500).map(|number| format!("{number:04}.csv")).collect();
    let insert = |store: &mut Store| -> Result<(), Error> {
        all.iter().step_by(2).try_for_each(|path| store.put_file(&mut FileRow::new(FEED, north, path)).map(drop))?;
        store.put_file(&mut FileRow::new("sales", north, "0001.csv")).map(drop)?;
        store.put_file(&mut FileRow::new(FEED, south, "0001.csv")).map(drop)
    };
    store.transaction(insert).unwrap();
    let mut found = store.files_at(FEED, north, &all).unwrap();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(found, store.files(FEED, north).unwrap());
    assert_eq!(found.len(), 1_250);
    let mut found = |source, wanted: &[&str]| paths(store.files_at(FEED, source, wanted).unwrap());
    assert_eq!(found(north, &["0001.csv", "0002.csv", "none"]), ["0002.csv"]);
    assert_eq!(found(south, &["0001.csv", "0002.csv"]), ["0001.csv"]);
    assert!(found(north, &[]).is_empty());
}

#[test]
fn a_rejected_file_is_listed_for_its_own_reader_and_source_only() {
    let mut database = Database::new();
    let store = &mut database.store;
    let [north, south] = sources(store, ["north", "south"]);
    let mut file = FileRow::new(FEED, north, "a.csv");
    store.put_file(&mut file).unwrap();
    put(store, FEED, south, "a.csv");
    put(store, "sales", north, "a.csv");
    let mut check = |state: FileState, expect: &[(String, Option<String>)]| {
        let rejected_reason = (state == FileState::Rejected).then(|| "no header".to_owned());
        store.put_file(&mut FileRow { state, rejected_reason, ..file.clone() }).unwrap();
        assert_eq!(store.rejected_files(FEED, north).unwrap(), expect, "{state}");
        assert_eq!(store.rejected_files(FEED, south).unwrap(), [], "{state}");
        assert_eq!(store.rejected_files("sales", north).unwrap(), [], "{state}");
    };
    let rejected = [("a.csv".to_owned(), Some("no header".to_owned()))];
    check(FileState::Changing, &[]);
    check(FileState::Rejected, &rejected);
    check(FileState::Applied, &[]);
    check(FileState::Rejected, &rejected);
    store.delete_file(file.id).unwrap();
    assert_eq!(store.rejected_files(FEED, north).unwrap(), []);
}
