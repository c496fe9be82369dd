//! Messages of operations: known, and forgotten in time.

use tributary_store::Store;

use crate::Database;

fn known(store: &mut Store) -> Vec<String> {
    let mut known = store.known_operation_messages(&["a", "b", "c", "d", "e", "none"]).unwrap();
    known.sort();
    known
}

#[test]
fn a_message_is_known_until_it_is_too_old_or_too_many_follow() {
    let mut database = Database::new();
    let store = &mut database.store;
    store.insert_operation_messages(&["a"], "1").unwrap();
    store.insert_operation_messages(&["b", "c"], "2").unwrap();
    store.insert_operation_messages(&["d", "e"], "3").unwrap();
    assert!(store.insert_operation_messages(&["a"], "4").is_err(), "it is known");
    assert_eq!(known(store), ["a", "b", "c", "d", "e"]);
    store.delete_old_operation_messages(4, "0", 100).unwrap();
    assert_eq!(known(store), ["b", "c", "d", "e"]);
    store.delete_old_operation_messages(100, "3", 1).unwrap();
    assert_eq!(known(store), ["c", "d", "e"], "one at a time");
    store.delete_old_operation_messages(100, "3", 100).unwrap();
    assert_eq!(known(store), ["d", "e"]);
    store.empty().unwrap();
    assert_eq!(known(store), [""; 0]);
    store.delete_old_operation_messages(0, "9", 100).unwrap();
}
