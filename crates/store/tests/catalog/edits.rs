//! Edits.

use crate::{Database, edit};

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
fn many_edits_are_stored_and_found() {
    let mut database = Database::new();
    let store = &mut database.store;
    let skus: Vec<String> = (0..300).map(|number| format!("{number:03}")).collect();
    let mut rows: Vec<_> = skus.iter().map(|sku| edit(sku)).collect();
    store.put_edits(&rows[100..]).unwrap();
    for row in &mut rows[..200] {
        (row.name, row.own, row.hidden) = (Some(String::new()), Some(r#"{"price":"1"}"#.to_owned()), true);
    }
    store.put_edits(&rows[..200]).unwrap();
    let skus: Vec<&str> = skus.iter().map(String::as_str).collect();
    assert_eq!(store.edits_of(&skus).unwrap(), rows);
    assert_eq!(store.edits_of(&["007", "none"]).unwrap(), rows[7..8]);
}
