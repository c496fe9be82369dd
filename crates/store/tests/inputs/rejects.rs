//! Rejects: replaced by kind, listed by time and by place, and deleted with their file.

use tributary_store::{RejectFilter, RejectRow};

use crate::{Database, FEED, put};

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
        let rows = store.rejects_view(FEED, i64::MAX).unwrap();
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

fn reject(line: i64) -> RejectRow {
    RejectRow { line, byte_offset: 10 * line, reason: format!("reason {line}"), raw: "raw".to_owned() }
}

#[test]
fn rejects_of_all_readers_are_in_order_of_time() {
    let mut database = Database::new();
    let feed = database.file("north");
    let store = &mut database.store;
    let source = store.sources().unwrap()[0].id;
    let (sales, prices) = (put(store, "sales", source, "a.csv"), put(store, "prices", source, "b.csv"));
    store.replace_rejects(feed, false, &[reject(1)]).unwrap();
    store.replace_rejects(sales, false, &[reject(2), reject(3)]).unwrap();
    store.replace_rejects(feed, true, &[reject(4)]).unwrap();
    store.replace_rejects(prices, true, &[reject(5)]).unwrap();
    let mut check = |[reader, source, file]: [Option<&str>; 3], limit, expect: &[(i64, &str)]| {
        let [reader, source, file] = [reader, source, file].map(|text| text.map(str::to_owned));
        let filter = RejectFilter { reader, source, file };
        let rows = store.newest_rejects(&filter, None, limit).unwrap();
        let found: Vec<_> = rows.iter().map(|row| (row.line, row.reader.as_str())).collect();
        assert_eq!(found, expect, "{filter:?} {limit}");
        // The same list in pages of one row.
        let (mut one_by_one, mut last) = (Vec::new(), None);
        while let Some(row) = store.newest_rejects(&filter, last, 1).unwrap().pop() {
            last = Some(row.id);
            one_by_one.push(row);
        }
        assert!(one_by_one.starts_with(&rows), "{filter:?}");
    };
    let all = [(5, "prices"), (4, FEED), (3, "sales"), (2, "sales"), (1, FEED)];
    check([None; 3], 9, &all);
    check([None; 3], 3, &all[..3]);
    check([None, Some("north"), None], 9, &all);
    check([None, Some("south"), None], 9, &[]);
    check([None, None, Some("a.csv")], 9, &all[1..]);
    check([Some("sales"), None, None], 9, &all[2..4]);
    check([Some("sales"), None, Some("b.csv")], 9, &[]);
    assert_eq!(store.rejects_count().unwrap(), 5);

    store.replace_rejects(sales, false, &[]).unwrap();
    assert_eq!(store.rejects_count().unwrap(), 3);
}

/// The order of `readdb rejects`.
#[test]
fn on_the_same_line_the_rejects_of_one_reader_come_first() {
    let mut database = Database::new();
    let feed = database.file("north");
    let store = &mut database.store;
    let source = store.sources().unwrap()[0].id;
    // Neither the order of the names nor that of the ids gives the result.
    let (a, z) = (put(store, "a", source, "a.csv"), put(store, "z", source, "a.csv"));
    store.replace_rejects(z, false, &[reject(2)]).unwrap();
    store.replace_rejects(a, false, &[reject(2), reject(1)]).unwrap();
    store.replace_rejects(feed, false, &[reject(2)]).unwrap();
    let rows = store.rejects_view(FEED, 9).unwrap();
    let found: Vec<_> = rows.iter().map(|row| (row.line, row.reader.as_str())).collect();
    assert_eq!(found, [(1, "a"), (2, FEED), (2, "z"), (2, "a")]);
    assert_eq!(store.rejects_view(FEED, 2).unwrap(), rows[..2]);
}
