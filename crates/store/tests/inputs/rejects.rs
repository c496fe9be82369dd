//! Rejects: replaced by kind, listed by time and by place, and deleted with their file.

use tributary_store::{FileRow, MAX_PAGE_BYTES, RejectFilter, RejectRow, Store};

use crate::{Database, FEED, put};

#[test]
fn rejects_of_one_kind_are_replaced_without_the_other() {
    let mut database = Database::new();
    let file_id = database.file_of("north");
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
    let feed = database.file_of("north");
    let store = &mut database.store;
    let source = store.sources().unwrap()[0].id;
    let (sales, prices) = (put(store, "sales", source, "a.csv"), put(store, "prices", source, "b.csv"));
    store.replace_rejects(feed, false, &[reject(1)]).unwrap();
    store.replace_rejects(sales, false, &[reject(2), reject(3)]).unwrap();
    store.replace_rejects(feed, true, &[reject(4)]).unwrap();
    store.replace_rejects(prices, true, &[reject(5)]).unwrap();
    for (reader, path) in [(FEED, "a.csv"), ("sales", "a.csv"), ("prices", "b.csv")] {
        counts_rejects(store, reader, path);
    }
    let mut check = |[reader, source, file]: [Option<&str>; 3], limit, expect: &[(i64, &str)]| {
        let [reader, source, file] = [reader, source, file].map(|text| text.map(str::to_owned));
        let filter = RejectFilter { reader, source, file, reason: None };
        let page = store.newest_rejects(&filter, None, limit).unwrap();
        let rows = page.rows;
        let found: Vec<_> = rows.iter().map(|row| (row.line, row.reader.as_str())).collect();
        assert_eq!(found, expect, "{filter:?} {limit}");
        // The same list in pages of one row.
        let (mut one_by_one, mut last) = (Vec::new(), None);
        loop {
            let page = store.newest_rejects(&filter, last, 1).unwrap();
            one_by_one.extend(page.rows);
            last = page.next;
            if last.is_none() {
                break;
            }
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

/// Says in the row of a file that it has rejects, as the engine does.
fn counts_rejects(store: &mut Store, reader: &str, path: &str) {
    let mut file = store.file_of(reader, "north", path).unwrap().unwrap();
    file.rejects = 1;
    store.put_file(&mut file).unwrap();
}

/// Pages through the rejects of a filter, and compares them with a list that is filtered in memory.
#[track_caller]
fn check_pages(store: &mut Store, filter: &RejectFilter, limit: i64) {
    let mut expect: Vec<_> = store.rejects_view(FEED, i64::MAX).unwrap();
    let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
    expect.retain(|row| is(&filter.reader, &row.reader) && is(&filter.file, &row.file));
    expect.retain(|row| filter.reason.as_deref().is_none_or(|part| row.reason.contains(part)));
    expect.sort_by_key(|row| std::cmp::Reverse(row.id));
    let (mut found, mut next) = (Vec::new(), None);
    loop {
        let page = store.newest_rejects(filter, next, limit).unwrap();
        assert!(page.rows.len() as i64 <= limit);
        found.extend(page.rows);
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(found, expect, "{filter:?} {limit}");
}

/// The rejects of files are merged by their ids, and each file's come in two runs, of the accepted and of a rejected content.
#[test]
fn pages_of_many_files_leave_nothing_out() {
    let mut database = Database::new();
    database.file_of("north");
    let store = &mut database.store;
    let source = store.sources().unwrap()[0].id;
    let paths = ["b.csv", "c.csv", "d.csv"];
    let files: Vec<_> = paths.iter().map(|path| put(store, "sales", source, path)).collect();
    for round in 0..4_i64 {
        for (at, file) in files.iter().enumerate() {
            let rows: Vec<_> = (0..(round + at as i64) % 5).map(|line| reject(10 * round + line)).collect();
            store.replace_rejects(*file, round % 2 == 0, &rows).unwrap();
        }
    }
    paths.iter().for_each(|path| counts_rejects(store, "sales", path));
    for (reader, file, reason) in [
        (None, None, None),
        (Some("sales"), None, None),
        (Some("sales"), Some("c.csv"), None),
        (None, None, Some("reason 3")),
        (Some("sales"), None, Some("1")),
        (Some("sales"), None, Some("nowhere")),
    ] {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let filter = RejectFilter { reader: text(reader), source: None, file: text(file), reason: text(reason) };
        [1, 2, 3, 100].into_iter().for_each(|limit| check_pages(store, &filter, limit));
    }
    let of_file =
        RejectFilter { source: Some("north".to_owned()), file: Some("c.csv".to_owned()), ..RejectFilter::default() };
    let lines: Vec<_> = store.rejects_of_file(&of_file).unwrap().iter().map(|row| row.line).collect();
    assert!(lines.is_sorted() && !lines.is_empty(), "{lines:?}");
}

/// A text that is rare among many rejects must not make one answer search all of them.
#[test]
fn a_search_ends_after_some_rejects_and_says_where_it_goes_on() {
    let mut database = Database::new();
    let file = database.file_of("north");
    let store = &mut database.store;
    let rows: Vec<_> = (0..10_100).map(reject).collect();
    store.replace_rejects(file, false, &rows).unwrap();
    counts_rejects(store, FEED, "a.csv");
    for source in [None, Some("north".to_owned())] {
        let filter = RejectFilter { reason: Some("reason 42".to_owned()), source, ..RejectFilter::default() };
        // `reason 42` itself is among the oldest, and not searched at first.
        let page = store.newest_rejects(&filter, None, 200).unwrap();
        assert_eq!(page.rows.len(), 110, "4200 to 4299, and 420 to 429");
        let rest = store.newest_rejects(&filter, page.next, 200).unwrap();
        assert_eq!((rest.rows.iter().map(|row| row.line).collect::<Vec<_>>(), rest.next), (vec![42], None));
        let first = store.newest_rejects(&filter, None, 5).unwrap();
        assert_eq!((first.rows.len(), first.next), (5, Some(first.rows[4].id)));
    }
}

#[test]
fn files_with_rejects_are_listed_with_the_most_first() {
    let mut database = Database::new();
    database.file_of("north");
    let store = &mut database.store;
    let source = store.sources().unwrap()[0].id;
    for (path, rejects) in [("b.csv", 2), ("c.csv", 7), ("d.csv", 0)] {
        let id = store.put_file(&mut FileRow { rejects, ..FileRow::new("sales", source, path) }).unwrap();
        let rows: Vec<_> = (0..rejects).map(reject).collect();
        store.replace_rejects(id, false, &rows).unwrap();
    }
    let all = store.files_with_rejects(&RejectFilter::default(), 0, 9).unwrap();
    assert_eq!(all.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["c.csv", "b.csv"]);
    assert_eq!(store.files_with_rejects(&RejectFilter::default(), 1, 9).unwrap(), all[1..]);
    assert_eq!(store.reject_reasons(all[1].id, 9).unwrap(), ["reason 0", "reason 1"]);
    assert_eq!(store.reject_reasons(all[0].id, 3).unwrap().len(), 3);
}

/// The order of `readdb rejects`.
#[test]
fn on_the_same_line_the_rejects_of_one_reader_come_first() {
    let mut database = Database::new();
    let feed = database.file_of("north");
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

/// Ten thousand rows of two kilobytes were read together, and as many for each of those who asked.
#[test]
fn a_page_of_long_rejects_ends_by_its_bytes() {
    let mut database = Database::new();
    let file = database.file_of("north");
    let store = &mut database.store;
    let long = |line| RejectRow { reason: "r".repeat(1_000), raw: "x".repeat(1_000), ..reject(line) };
    store.replace_rejects(file, false, &(0..6_000).map(long).collect::<Vec<_>>()).unwrap();
    counts_rejects(store, FEED, "a.csv");
    let (mut lines, mut next, mut pages) = (Vec::new(), Some(None), 0);
    while let Some(before) = next {
        let page = store.newest_rejects(&RejectFilter::default(), before, 10_000).unwrap();
        assert!(page.rows.len() * 2_000 < MAX_PAGE_BYTES * 3 / 2, "{}", page.rows.len());
        lines.extend(page.rows.iter().map(|row| row.line));
        next = page.next.map(Some);
        pages += 1;
    }
    assert!(pages > 1 && lines == (0..6_000).rev().collect::<Vec<_>>(), "{pages}");
    let of_file =
        RejectFilter { source: Some("north".to_owned()), file: Some("a.csv".to_owned()), ..RejectFilter::default() };
    assert_eq!(store.rejects_of_file(&of_file).unwrap().len(), 6_000, "all at once");
}
