//! Rejects of product feeds.

use tributary_store::RejectRow;

use crate::Database;

#[test]
fn rejects_of_one_kind_are_replaced_without_the_other() {
    let mut database = Database::new();
    let file_id = database.file("north");
    let store = &mut database.store;
    let reject = |line: i64, reason: &str| RejectRow {
        line,
        byte_offset: 10 * line,
        reason: reason.to_owned(),
        raw: "a;b".to_owned(),
    };
    store.replace_rejects(file_id, false, &[reject(2, "no sku"), reject(3, "too few fields")]).unwrap();
    store.replace_rejects(file_id, true, &[reject(1, "no header")]).unwrap();
    let mut reasons = |file_id| {
        let rows = store.rejects_view(i64::MAX).unwrap();
        assert!(rows.iter().all(|row| row.source == "north" && row.file == "a.csv" && row.raw == "a;b"), "{file_id}");
        rows.into_iter().map(|row| (row.line, row.reason)).collect::<Vec<_>>()
    };
    let rows = |words: &[(i64, &str)]| words.iter().map(|(line, text)| (*line, (*text).to_owned())).collect::<Vec<_>>();
    assert_eq!(reasons(file_id), rows(&[(1, "no header"), (2, "no sku"), (3, "too few fields")]));
    database.store.replace_rejects(file_id, false, &[]).unwrap();
    assert_eq!(database.store.counts().unwrap().rejects, 1);
    database.store.delete_file(file_id).unwrap();
    assert_eq!(database.store.counts().unwrap().rejects, 0);
}
