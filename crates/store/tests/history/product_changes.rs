//! Changes of products: numbered, found by sku, and bounded.

use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
use tributary_store::{ChangeCause, MAX_PAGE_BYTES, NewProductChange, ProductChangeRow, Store};

use crate::Database;

fn put(store: &mut Store, cause: ChangeCause<'_>, skus: &[&str]) {
    let change = |sku| NewProductChange { sku, file: Some("a.csv"), texts: r#"{"name":["a","b"]}"#, edit: None };
    let changes: Vec<_> = skus.iter().map(|sku| change(sku)).collect();
    store.insert_product_changes(cause, &changes).unwrap();
}

#[test]
fn the_changes_of_a_product_come_newest_first() {
    let mut database = Database::new();
    let store = &mut database.store;
    assert_eq!(store.newest_product_change().unwrap(), None);
    put(store, ChangeCause { at: 7, source: Some("north"), ..ChangeCause::default() }, &["a", "b", "a"]);
    put(store, ChangeCause { at: 8, entrance: Some("form"), author: Some("ann"), source: None }, &["a"]);
    let changes = store.product_changes("a", 2).unwrap();
    assert_eq!(changes.iter().map(|change| change.id).collect::<Vec<_>>(), [4, 3]);
    let newest = ProductChangeRow {
        id: 4,
        sku: "a".into(),
        at: 8,
        source: None,
        file: Some("a.csv".into()),
        entrance: Some("form".into()),
        author: Some("ann".into()),
        texts: r#"{"name":["a","b"]}"#.into(),
        edit: None,
    };
    assert_eq!(changes[0], newest);
    assert_eq!((changes[1].at, changes[1].source.as_deref()), (7, Some("north")), "bound once per statement");
    assert_eq!(store.product_change("a", 4).unwrap(), Some(newest));
    assert_eq!(store.product_change("a", 2).unwrap(), None, "it is a change of another sku");
    store.delete_product_changes_after(Some(2)).unwrap();
    assert_eq!(store.newest_product_change().unwrap(), Some(2));
    store.delete_product_changes_after(None).unwrap();
    assert_eq!(store.newest_product_change().unwrap(), None);
}

#[test]
fn the_newest_million_is_kept() {
    let mut database = Database::file();
    put(&mut database.store, ChangeCause::default(), &["a", "b", "c"]);
    let mut connection = SqliteConnection::establish(database.url.place().to_str().unwrap()).unwrap();
    sql_query("UPDATE product_changes SET id = 1000002 WHERE sku = 'c'").execute(&mut connection).unwrap();
    database.store.delete_old_product_changes().unwrap();
    assert_eq!(database.store.product_changes("b", 9).unwrap(), []);
    put(&mut database.store, ChangeCause::default(), &["d"]);
    assert_eq!(database.store.newest_product_change().unwrap(), Some(1_000_003));
    assert_eq!(database.store.product_changes("c", 9).unwrap().len(), 1);
}

/// The last hundred changes of a product may have 50 MiB of texts.
#[test]
fn a_page_of_long_changes_ends_early() {
    let mut database = Database::new();
    let texts = format!("\"{}\"", "x".repeat(MAX_PAGE_BYTES / 3));
    let change = NewProductChange { sku: "a", file: None, texts: &texts, edit: None };
    database.store.insert_product_changes(ChangeCause::default(), &vec![change; 5]).unwrap();
    let mut ids = |limit| {
        let changes = database.store.product_change_page("a", limit).unwrap();
        changes.into_iter().map(|change| change.id).collect::<Vec<_>>()
    };
    assert_eq!((ids(100), ids(1)), (vec![5, 4, 3], vec![5]));
}
