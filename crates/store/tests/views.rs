//! What people read: names in place of ids, filters, limits, order.

use tributary_store::{AggrOrder, FileRow, FileState, ProductFilter, SourceState};

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

#[test]
fn names_are_listed_in_either_order_and_cut_to_a_part() {
    let mut database = Database::new();
    let store = &mut database.store;
    let counts = [("Pen", 2), ("a%", 2), ("ink", 9), ("pen", 1)];
    store.move_aggr(&counts.map(|(name, count)| (name.to_owned(), count))).unwrap();
    let mut check = |part: Option<&str>, order: AggrOrder, limit: i64, offset: i64, expect: &[&str]| {
        let rows = store.aggr_list(part, order, limit, offset).unwrap();
        assert_eq!(rows.into_iter().map(|row| row.name).collect::<Vec<_>>(), expect, "{part:?} {order:?}");
    };
    check(None, AggrOrder::Name, 9, 0, &["Pen", "a%", "ink", "pen"]);
    check(None, AggrOrder::MostProducts, 9, 0, &["ink", "Pen", "a%", "pen"]);
    check(None, AggrOrder::MostProducts, 2, 1, &["Pen", "a%"]);
    check(Some("en"), AggrOrder::Name, 9, 0, &["Pen", "pen"]);
    check(Some("%"), AggrOrder::Name, 9, 0, &["a%"]);
    check(Some("_"), AggrOrder::Name, 9, 0, &[]);
    assert_eq!((store.aggr_matches(Some("en")).unwrap(), store.aggr_matches(None).unwrap()), (2, 4));
}

#[test]
fn products_are_cut_to_a_part_a_source_and_what_lies_behind_a_sku() {
    let mut database = Database::new();
    let file_id = database.file("north");
    let mut offered = product("b_1", "red");
    offered.file_id = Some(file_id);
    database.store.insert_products(&[product("a", "Blue"), offered, product("c", "blue")]).unwrap();
    let mut check = |part: Option<&str>, source: Option<&str>, after: Option<&str>, expect: &[&str]| {
        let (part, source) = (part.map(str::to_owned), source.map(str::to_owned));
        let filter = ProductFilter { part, source, ..ProductFilter::default() };
        let rows = database.store.products_page(&filter, after, 9).unwrap();
        assert_eq!(rows.into_iter().map(|row| row.sku).collect::<Vec<_>>(), expect, "{filter:?} {after:?}");
    };
    check(None, None, Some("a"), &["b_1", "c"]);
    check(Some("b"), None, None, &["b_1", "c"]);
    check(Some("_"), None, None, &["b_1"]);
    check(Some("lue"), None, Some("a"), &["c"]);
    check(None, Some("north"), None, &["b_1"]);
    check(None, Some("south"), None, &[]);
    assert!(database.store.is_shown("a").unwrap() && !database.store.is_shown("A").unwrap());
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
}
