//! Products and shadowed offers: inserted, changed, deleted.

use tributary_store::{Error, ProductRow};

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

/// Products for which PostgreSQL takes another way than for a few, with nulls, long texts and signs of all kinds.
fn many(file_id: i64) -> Vec<ProductRow> {
    let texts = ["", "\t\\N\n", "ä \u{1f4e6}", "\\.", "\u{7f}\r\n"];
    let row = |no: usize| ProductRow {
        sku: format!("{no:05}\u{e9}"),
        name: texts[no % texts.len()].to_owned(),
        description: if no == 7 { "long ".repeat(100_000) } else { format!("{no}{}", texts[(no + 1) % texts.len()]) },
        file_id: (!no.is_multiple_of(3)).then_some(file_id),
        edited: no.is_multiple_of(2),
        own: (no.is_multiple_of(5) && no < 500).then(|| format!("[\"{no}\"]")),
    };
    (0..1_000).map(row).collect()
}

#[test]
fn many_products_are_inserted_as_they_are() {
    let mut database = Database::new();
    let rows = many(database.file_of("north"));
    let store = &mut database.store;
    // Those with own columns, and those without.
    store.insert_products(&rows[..500], 3).unwrap();
    store.insert_products(&rows[500..], 4).unwrap();
    assert_eq!(store.tally().unwrap().products, 1_000);
    let skus: Vec<String> = rows.iter().map(|row| row.sku.clone()).collect();
    assert_eq!(store.sku_rows(&skus).unwrap().products, rows);
}

#[test]
fn many_products_of_which_one_exists_are_not_inserted() {
    let mut database = Database::new();
    let rows = many(database.file_of("north"));
    let store = &mut database.store;
    store.insert_products(&rows[600..601], 0).unwrap();
    let inserted: Result<(), Error> = store.transaction(|store| store.insert_products(&rows, 0));
    let error = inserted.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(error.to_string().contains("rows after it"), "{error}");
    assert!(cause.to_lowercase().contains("unique"), "{cause}");
    let inserted: Result<(), Error> = store.transaction(|store| store.insert_products(&rows[..600], 0));
    inserted.unwrap();
    assert_eq!(store.tally().unwrap().products, 601);
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
