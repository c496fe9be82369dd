//! What people read: names in place of ids, filters, limits, order.

use tributary_store::{FileRow, FileState, ProductFilter, SourceState};

use crate::{Database, edit, product, strings};

#[test]
fn products_are_shown_with_their_source_and_file() {
    let mut database = Database::new();
    let file_id = database.file("north");
    let offered = |sku: &str, name: &str| {
        let mut row = product(sku, name);
        row.file_id = Some(file_id);
        row
    };
    database.store.insert_products(&[product("a", "red"), offered("b", "red"), offered("é", "blue")]).unwrap();
    let mut check = |sku: Option<&str>, name: Option<&str>, limit: i64, expect: &[&str]| {
        let filter =
            ProductFilter { sku: sku.map(str::to_owned), name: name.map(str::to_owned), ..ProductFilter::default() };
        let rows = database.store.products_page(&filter, None, limit).unwrap();
        let skus: Vec<_> = rows.iter().map(|row| row.sku.as_str()).collect();
        assert_eq!(skus, expect, "{filter:?}");
        if limit > 2 {
            assert_eq!(database.store.products_count(&filter).unwrap(), expect.len() as i64, "{filter:?}");
        }
    };
    check(None, None, 9, &["a", "b", "é"]);
    check(None, None, 2, &["a", "b"]);
    check(None, None, 0, &[]);
    check(Some("b"), None, 9, &["b"]);
    check(Some("B"), None, 9, &[]);
    check(None, Some("red"), 9, &["a", "b"]);
    check(Some("a"), Some("blue"), 9, &[]);

    let rows = database.products();
    assert_eq!((&rows[0].source, &rows[0].file), (&None, &None));
    assert_eq!((rows[1].source.as_deref(), rows[1].file.as_deref()), (Some("north"), Some("a.csv")));
}

#[test]
fn a_source_is_shown_with_the_sums_of_its_files() {
    let mut database = Database::new();
    let store = &mut database.store;
    let south = store.put_source("south", "http://s", 0, 0).unwrap();
    store.put_source("north", "http://n", 0, 1).unwrap();
    for (path, offers, rejects) in [("b.csv", 10, 1), ("a.csv", 20, 2)] {
        let file = store.insert_file(south, path).unwrap();
        store.update_file(&FileRow { offers, rejects, ..file }).unwrap();
    }
    let rows = store.sources_view().unwrap();
    let sums: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.files, row.offers, row.rejects)).collect();
    assert_eq!(sums, [("north", 0, 0, 0), ("south", 2, 30, 3)]);
    assert_eq!(rows[0].state, SourceState::Unknown);
}

#[test]
fn files_and_edits_come_in_key_order_and_cut_at_the_limit() {
    let mut database = Database::new();
    let store = &mut database.store;
    // The ids run against the names: the order must come from the names.
    for source in ["south", "north"] {
        let id = store.put_source(source, "http://x", 0, 0).unwrap();
        for path in ["b.csv", "a.csv"] {
            store.insert_file(id, path).unwrap();
        }
    }
    let files = store.files_view(3).unwrap();
    let names: Vec<_> = files.iter().map(|row| format!("{} {}", row.source, row.path)).collect();
    assert_eq!(names, ["north a.csv", "north b.csv", "south a.csv"]);
    assert_eq!(files[0].state, FileState::Changing);

    for sku in ["c", "a", "b"] {
        store.put_edit(&edit(sku)).unwrap();
    }
    let mut skus =
        |sku, limit| store.edits_view(sku, limit).unwrap().into_iter().map(|row| row.sku).collect::<Vec<_>>();
    assert_eq!(skus(None, 2), strings(&["a", "b"]));
    assert_eq!(skus(Some("c"), 2), strings(&["c"]));
    assert_eq!(skus(Some("d"), 2), strings(&[]));
}
