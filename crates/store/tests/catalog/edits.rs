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
