//! Products and names as people read them: filters, limits, order.

use tributary_store::{AggrOrder, ProductFilter, SkuRange};

use crate::{Database, product};

#[test]
fn products_are_shown_with_their_source_and_file() {
    let mut database = Database::new();
    let file_id = database.file_of("north");
    let offered = |sku: &str, name: &str| {
        let mut row = product(sku, name);
        row.file_id = Some(file_id);
        row
    };
    database.store.insert_products(&[product("a", "red"), offered("b", "red"), offered("é", "blue")], 0).unwrap();
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
fn names_are_listed_in_either_order_and_cut_to_a_part() {
    let mut database = Database::new();
    let store = &mut database.store;
    let counts = [("Pen", 2), ("a%", 2), ("ink", 9), ("pen", 1)];
    store.add_to_aggr(&counts.map(|(name, count)| (name.to_owned(), count))).unwrap();
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
    let file_id = database.file_of("north");
    let mut offered = product("b_1", "red");
    offered.file_id = Some(file_id);
    database.store.insert_products(&[product("a", "Blue"), offered, product("c", "blue")], 0).unwrap();
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
fn a_search_looks_at_a_part_of_the_table() {
    let mut database = Database::new();
    let store = &mut database.store;
    let edited = |sku: &str| tributary_store::ProductRow { edited: true, ..product(sku, "x") };
    let rows = [product("a", "x"), edited("b"), product("c", "y"), edited("d"), product("e", "x")];
    store.insert_products(&rows, 0).unwrap();
    for sku in ["b", "d", "hidden"] {
        store.put_edit(&crate::edit(sku)).unwrap();
    }
    let mut distance = |from: Option<&str>, rows: i64, descending: bool, has_edit: bool| {
        store.sku_at_distance(from, rows, descending, has_edit).unwrap()
    };
    assert_eq!(distance(None, 0, false, false).as_deref(), Some("a"));
    assert_eq!(distance(Some("a"), 2, false, false).as_deref(), Some("d"));
    assert_eq!(distance(Some("d"), 2, true, false).as_deref(), Some("a"));
    assert_eq!(distance(Some("d"), 3, true, false), None);
    assert_eq!(distance(Some("b"), 1, false, true).as_deref(), Some("hidden"));
    let mut check = |first: Option<&str>, last: Option<&str>, edited: Option<bool>, expect: &[&str]| {
        for has_edit in [false, true].into_iter().take(if edited == Some(true) { 2 } else { 1 }) {
            let range = SkuRange { first: first.map(str::to_owned), last: last.map(str::to_owned), has_edit };
            let filter = ProductFilter { edited, range, ..ProductFilter::default() };
            let rows = store.products_page(&filter, None, 9).unwrap();
            let skus: Vec<_> = rows.iter().map(|row| row.sku.as_str()).collect();
            assert_eq!(skus, expect, "{filter:?}");
            let count = expect.len() as i64;
            assert_eq!(store.products_count_up_to(&filter, 9).unwrap(), count);
            assert_eq!(store.products_count_up_to(&filter, 1).unwrap(), count.min(1));
        }
    };
    check(None, None, None, &["a", "b", "c", "d", "e"]);
    check(Some("b"), Some("d"), None, &["b", "c", "d"]);
    check(Some("b"), Some("d"), Some(false), &["c"]);
    check(None, None, Some(true), &["b", "d"]);
    check(Some("c"), None, Some(true), &["d"]);
}
