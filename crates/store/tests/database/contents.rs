//! Emptying all tables.

use tributary_store::{Counts, RejectRow, Tally};

use crate::{Database, edit, page, product, shadowed};

#[test]
fn emptying_leaves_no_row_in_any_table() {
    let mut database = Database::new();
    let file_id = database.file_of("north");
    let store = &mut database.store;
    store.insert_pages(file_id, [page("a", 1)]).unwrap();
    let reject = RejectRow { line: 1, byte_offset: 0, reason: String::new(), raw: String::new() };
    store.replace_rejects(file_id, false, &[reject]).unwrap();
    store.insert_products(&[product("1", "a"), product("2", "a")], 0).unwrap();
    store.insert_shadowed(&[shadowed("1", 1)]).unwrap();
    store.put_edit(&edit("1")).unwrap();
    store.add_to_aggr(&[("a".to_owned(), 2)]).unwrap();
    let full = Counts { products: 2, aggr: 1, sources: 1, files: 1, rejects: 1, edits: 1, shadowed: 1 };
    assert_eq!(store.counts().unwrap(), full);
    store.put_event("2026-11-24T10:00:00Z", "edit", "{}").unwrap();
    store.empty().unwrap();
    assert_eq!(store.event_range().unwrap(), None);
    assert_eq!(store.tally().unwrap(), Tally::default());
    store.put_event("2026-11-24T10:00:00Z", "edit", "{}").unwrap();
    assert_eq!(store.event_range().unwrap(), Some((2, 2)), "no number is given twice");
    store.empty().unwrap();
    let none = Counts { products: 0, aggr: 0, sources: 0, files: 0, rejects: 0, edits: 0, shadowed: 0 };
    assert_eq!(store.counts().unwrap(), none);
    assert_eq!(store.page_digests(file_id).unwrap(), []);
}
