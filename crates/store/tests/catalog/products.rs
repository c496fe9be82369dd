//! Products and shadowed offers: inserted, changed, deleted.

use tributary_store::Error;

use crate::{Database, product, shadowed, strings};

#[test]
fn products_and_shadowed_offers_are_inserted_changed_and_deleted() {
    let mut database = Database::new();
    let file_id = database.file_of("north");
    let store = &mut database.store;
    let skus = strings(&["1", "2"]);
    store.insert_products(&[product("1", "a"), product("2", "b")], 0).unwrap();
    store.insert_shadowed(&[shadowed("1", 7), shadowed("1", 8), shadowed("2", 7)]).unwrap();

    let mut changed = product("2", "c");
    (changed.description, changed.file_id, changed.edited) = ("text\nof two lines".to_owned(), Some(file_id), true);
    store.update_products(std::slice::from_ref(&changed), 0).unwrap();
    let mut gone = shadowed("1", 8);
    (gone.deletes, gone.name) = (true, String::new());
    store.update_shadowed(std::slice::from_ref(&gone)).unwrap();
    store.delete_products(&strings(&["1"])).unwrap();
    store.delete_shadowed(&[("1".to_owned(), 7)]).unwrap();

    let state = store.sku_rows(&skus).unwrap();
    assert_eq!(state.products, [changed]);
    assert_eq!(state.shadowed, [gone, shadowed("2", 7)]);
}

#[test]
fn a_row_that_is_not_there_cannot_be_deleted() {
    let mut database = Database::new();
    let store = &mut database.store;
    store.insert_shadowed(&[shadowed("1", 7)]).unwrap();
    let check = |result: Result<(), Error>, part: &str| {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }) && error.to_string().contains(part), "{error}");
    };
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
