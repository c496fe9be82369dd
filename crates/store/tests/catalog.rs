//! Writing and reading back: sources, files, pages, rejects, products, shadowed offers, edits.

use tributary_store::{Counts, Error, FileRow, FileState, PageRow, RejectRow, SourcePass, SourceState};

use crate::{Database, edit, product, shadowed, strings};

#[test]
fn sources_keep_their_id_and_come_in_the_order_of_the_configuration() {
    let mut database = Database::new();
    let store = &mut database.store;
    let south = store.put_source("south", "http://s", 5, 1).unwrap();
    let north = store.put_source("north", "http://n", 0, 0).unwrap();
    let east = store.put_source("east", "http://e", 0, 1).unwrap();
    assert_eq!(store.put_source("south", "http://other", -1, 1).unwrap(), south);
    let rows = store.sources().unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [north, east, south]);
    let row = &rows[2];
    assert_eq!((row.url.as_str(), row.priority, row.state), ("http://other", -1, SourceState::Unknown));
}

#[test]
fn a_pass_clears_the_error_and_keeps_what_it_does_not_say() {
    let mut database = Database::new();
    let store = &mut database.store;
    let id = store.put_source("north", "http://n", 0, 0).unwrap();
    let text = |words: &str| Some(words.to_owned());
    let good = SourcePass {
        state: SourceState::Up,
        error: None,
        version: Some(text("v1")),
        last_sensed: text("2026-11-22T10:00:00Z"),
        last_applied: text("2026-11-22T10:00:01Z"),
    };
    store.set_source_pass(id, &good).unwrap();
    let bad = SourcePass {
        state: SourceState::Down,
        error: text("no answer"),
        version: None,
        last_sensed: None,
        last_applied: None,
    };
    store.set_source_pass(id, &bad).unwrap();
    let row = store.sources().unwrap().remove(0);
    assert_eq!((row.state, &row.error), (SourceState::Down, &bad.error));
    assert_eq!(
        (&row.version, &row.last_sensed, &row.last_applied),
        (good.version.as_ref().unwrap(), &good.last_sensed, &good.last_applied)
    );

    store.set_source_pass(id, &SourcePass { state: SourceState::Rejected, error: None, ..bad }).unwrap();
    let row = store.sources().unwrap().remove(0);
    assert_eq!((row.state, row.error, row.version), (SourceState::Rejected, None, good.version.clone().unwrap()));
    store.set_source_pass(id, &SourcePass { version: Some(None), ..good.clone() }).unwrap();
    assert_eq!(store.sources().unwrap()[0].version, None);
    assert!(matches!(store.set_source_pass(id + 1, &good), Err(Error::Corrupt { .. })));
}

#[test]
fn a_source_is_deleted_after_its_files() {
    let mut database = Database::new();
    let file_id = database.file("north");
    let store = &mut database.store;
    let source_id = store.sources().unwrap()[0].id;
    assert!(matches!(store.delete_source(source_id), Err(Error::Query { .. })));
    store.delete_file(file_id).unwrap();
    store.delete_source(source_id).unwrap();
    assert_eq!(store.sources().unwrap(), []);
}

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
    assert_eq!(paths(store.all_files().unwrap()), ["B.csv", "a/c.csv", "b.csv", "a.csv"]);
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
    };
    store.update_file(&row).unwrap();
    assert_eq!(store.files(source_id).unwrap(), [row.clone()]);
    row = FileRow { state: FileState::Rejected, ..fresh };
    store.update_file(&row).unwrap();
    assert_eq!(store.files(source_id).unwrap(), [row.clone()]);
    row.id += 1;
    assert!(matches!(store.update_file(&row), Err(Error::Corrupt { .. })));
}

fn page(first_sku: &str, content: u8) -> PageRow<'_> {
    let bytes = |count| vec![content; count].leak();
    PageRow { first_sku, digest: bytes(16), entries: bytes(20_000), lines: bytes(3) }
}

#[test]
fn pages_are_found_by_their_first_sku_and_by_a_sku_in_them() {
    let mut database = Database::new();
    let file_id = database.file("north");
    let other = database.file("south");
    let store = &mut database.store;
    store.insert_pages(file_id, [page("m", 2), page("a", 1)]).unwrap();
    store.insert_pages(other, [page("c", 9)]).unwrap();
    let digests = store.page_digests(file_id).unwrap();
    assert_eq!(digests, [("a".to_owned(), vec![1; 16]), ("m".to_owned(), vec![2; 16])]);
    let entries = store.page_entries(file_id, &strings(&["m", "a"])).unwrap();
    assert_eq!(entries, [vec![2; 20_000], vec![1; 20_000]]);
    assert!(matches!(store.page_entries(file_id, &strings(&["c"])), Err(Error::Corrupt { .. })));

    let mut check = |sku: &str, expect: Option<(u8, Vec<u8>)>| {
        let found = store.page_lines(file_id, sku).unwrap().map(|(entries, lines)| (entries[0], lines));
        assert_eq!(found, expect, "{sku}");
    };
    check("A", None);
    check("a", Some((1, vec![1; 3])));
    check("lzzz", Some((1, vec![1; 3])));
    check("m", Some((2, vec![2; 3])));
    check("z", Some((2, vec![2; 3])));
}

#[test]
fn pages_go_one_by_one_or_with_their_file() {
    let mut database = Database::new();
    let file_id = database.file("north");
    let store = &mut database.store;
    store.insert_pages(file_id, [page("a", 1), page("m", 2)]).unwrap();
    assert!(store.insert_pages(file_id, [page("a", 1)]).is_err());
    store.delete_pages(file_id, &strings(&["a"])).unwrap();
    assert!(matches!(store.delete_pages(file_id, &strings(&["a"])), Err(Error::Corrupt { .. })));
    assert_eq!(store.page_digests(file_id).unwrap().len(), 1);
    store.delete_file(file_id).unwrap();
    assert_eq!(store.page_digests(file_id).unwrap(), []);
    assert!(matches!(store.delete_file(file_id), Err(Error::Corrupt { .. })));
}

#[test]
fn rejects_of_one_kind_are_replaced_without_the_other() {
    let mut database = Database::new();
    let file_id = database.file("north");
    let store = &mut database.store;
    let reject = |line: i64, reason: &str| RejectRow {
        line,
        byte_offset: 10 * line,
        reason: reason.to_owned(),
        raw: "a;b".to_owned(),
    };
    store.replace_rejects(file_id, false, &[reject(2, "no sku"), reject(3, "too few fields")]).unwrap();
    store.replace_rejects(file_id, true, &[reject(1, "no header")]).unwrap();
    let mut reasons = |file_id| {
        let rows = store.rejects_view(i64::MAX).unwrap();
        assert!(rows.iter().all(|row| row.source == "north" && row.file == "a.csv" && row.raw == "a;b"), "{file_id}");
        rows.into_iter().map(|row| (row.line, row.reason)).collect::<Vec<_>>()
    };
    let rows = |words: &[(i64, &str)]| words.iter().map(|(line, text)| (*line, (*text).to_owned())).collect::<Vec<_>>();
    assert_eq!(reasons(file_id), rows(&[(1, "no header"), (2, "no sku"), (3, "too few fields")]));
    database.store.replace_rejects(file_id, false, &[]).unwrap();
    assert_eq!(database.store.counts().unwrap().rejects, 1);
    database.store.delete_file(file_id).unwrap();
    assert_eq!(database.store.counts().unwrap().rejects, 0);
}

#[test]
fn products_and_shadowed_offers_are_inserted_changed_and_deleted() {
    let mut database = Database::new();
    let file_id = database.file("north");
    let store = &mut database.store;
    let skus = strings(&["1", "2"]);
    store.insert_products(&[product("1", "a"), product("2", "b")]).unwrap();
    store.insert_shadowed(&[shadowed("1", 7), shadowed("1", 8), shadowed("2", 7)]).unwrap();

    let mut changed = product("2", "c");
    (changed.description, changed.file_id, changed.edited) = ("text\nof two lines".to_owned(), Some(file_id), true);
    store.update_products(std::slice::from_ref(&changed)).unwrap();
    let mut gone = shadowed("1", 8);
    (gone.deletes, gone.name) = (true, String::new());
    store.update_shadowed(std::slice::from_ref(&gone)).unwrap();
    store.delete_products(&strings(&["1"])).unwrap();
    store.delete_shadowed(&[("1".to_owned(), 7)]).unwrap();

    let state = store.state(&skus).unwrap();
    assert_eq!(state.products, [changed]);
    assert_eq!(state.shadowed, [gone, shadowed("2", 7)]);
}

#[test]
fn a_row_that_is_not_there_can_be_neither_changed_nor_deleted() {
    let mut database = Database::new();
    let store = &mut database.store;
    store.insert_shadowed(&[shadowed("1", 7)]).unwrap();
    let check = |result: Result<(), Error>, part: &str| {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }) && error.to_string().contains(part), "{error}");
    };
    check(store.update_products(&[product("1", "a")]), "`products` has no row for sku \"1\"");
    check(store.delete_products(&strings(&["1"])), "`products` has no row for sku \"1\"");
    check(store.update_shadowed(&[shadowed("1", 8)]), "`shadowed` has no row for sku \"1\" of file 8");
    check(store.delete_shadowed(&[("1".to_owned(), 8)]), "`shadowed` has no row for sku \"1\" of file 8");
}

#[test]
fn contested_skus_are_paged_each_once() {
    let mut database = Database::new();
    let store = &mut database.store;
    store.insert_shadowed(&[shadowed("a", 1), shadowed("a", 2), shadowed("b", 1), shadowed("c", 2)]).unwrap();
    let mut check = |after: Option<&str>, limit: i64, expect: &[&str]| {
        assert_eq!(store.contested_skus(after, limit).unwrap(), strings(expect), "{after:?} {limit}");
    };
    check(None, 2, &["a", "b"]);
    check(Some("b"), 2, &["c"]);
    check(Some("aa"), 9, &["b", "c"]);
    check(Some("c"), 9, &[]);
}

#[test]
fn an_edit_is_replaced_as_a_whole() {
    let mut database = Database::new();
    let store = &mut database.store;
    assert_eq!(store.edit("1").unwrap(), None);
    let mut row = edit("1");
    (row.name, row.stands) = (Some(String::new()), true);
    store.put_edit(&row).unwrap();
    assert_eq!(store.edit("1").unwrap(), Some(row.clone()));
    row = edit("1");
    (row.description, row.hidden) = (Some("text".to_owned()), true);
    store.put_edit(&row).unwrap();
    assert_eq!(store.edit("1").unwrap(), Some(row));
    assert!(store.delete_edit("1").unwrap());
    assert!(!store.delete_edit("1").unwrap());
}

#[test]
fn emptying_leaves_no_row_in_any_table() {
    let mut database = Database::new();
    let file_id = database.file("north");
    let store = &mut database.store;
    store.insert_pages(file_id, [page("a", 1)]).unwrap();
    let reject = RejectRow { line: 1, byte_offset: 0, reason: String::new(), raw: String::new() };
    store.replace_rejects(file_id, false, &[reject]).unwrap();
    store.insert_products(&[product("1", "a"), product("2", "a")]).unwrap();
    store.insert_shadowed(&[shadowed("1", 1)]).unwrap();
    store.put_edit(&edit("1")).unwrap();
    store.move_aggr(&[("a".to_owned(), 2)]).unwrap();
    let full = Counts { products: 2, aggr: 1, sources: 1, files: 1, rejects: 1, edits: 1, shadowed: 1 };
    assert_eq!(store.counts().unwrap(), full);
    store.put_event("2026-11-24T10:00:00Z", "edit", "{}").unwrap();
    store.empty().unwrap();
    assert_eq!(store.event_range().unwrap(), None);
    assert_eq!(store.tally().unwrap(), tributary_store::Tally::default());
    store.put_event("2026-11-24T10:00:00Z", "edit", "{}").unwrap();
    assert_eq!(store.event_range().unwrap(), Some((2, 2)), "no number is given twice");
    store.empty().unwrap();
    let none = Counts { products: 0, aggr: 0, sources: 0, files: 0, rejects: 0, edits: 0, shadowed: 0 };
    assert_eq!(store.counts().unwrap(), none);
    assert_eq!(store.page_digests(file_id).unwrap(), []);
}
