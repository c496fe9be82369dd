//! Pages of a file: found, stored, deleted.

use tributary_store::Error;

use crate::{Database, page, strings};

#[test]
fn pages_are_found_by_their_first_sku_and_by_a_sku_in_them() {
    let mut database = Database::new();
    let file_id = database.file_of("north");
    let other = database.file_of("south");
    let store = &mut database.store;
    store.insert_pages(file_id, [page("m", 2), page("a", 1)]).unwrap();
    store.insert_pages(other, [page("c", 9)]).unwrap();
    let digests = store.page_digests(file_id).unwrap();
    assert_eq!(digests, [("a".to_owned(), vec![1; 16]), ("m".to_owned(), vec![2; 16])]);
    let entries = store.page_entries(file_id, &strings(&["m", "a"])).unwrap();
    assert_eq!(entries, [vec![2; 20_000], vec![1; 20_000]]);
    assert!(matches!(store.page_entries(file_id, &strings(&["c"])), Err(Error::Corrupt { .. })));

    let mut check = |sku: &str, expect: Option<(u8, Vec<u8>)>| {
        let found = store.page_lines(file_id, sku).unwrap().map(|(entries, lines)| (entries[0], lines));
        assert_eq!(found, expect, "{sku}");
    };
    check("A", None);
    check("a", Some((1, vec![1; 3])));
    check("lzzz", Some((1, vec![1; 3])));
    check("m", Some((2, vec![2; 3])));
    check("z", Some((2, vec![2; 3])));
}

#[test]
fn pages_go_one_by_one_or_with_their_file() {
    let mut database = Database::new();
    let file_id = database.file_of("north");
    let store = &mut database.store;
    store.insert_pages(file_id, [page("a", 1), page("m", 2)]).unwrap();
    assert!(store.insert_pages(file_id, [page("a", 1)]).is_err());
    store.delete_pages(file_id, &strings(&["a"])).unwrap();
    assert!(matches!(store.delete_pages(file_id, &strings(&["a"])), Err(Error::Corrupt { .. })));
    assert_eq!(store.page_digests(file_id).unwrap().len(), 1);
    store.delete_file(file_id).unwrap();
    assert_eq!(store.page_digests(file_id).unwrap(), []);
    assert!(matches!(store.delete_file(file_id), Err(Error::Corrupt { .. })));
}
