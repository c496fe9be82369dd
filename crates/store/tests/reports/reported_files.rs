//! Files of reports: stored and found by their key, with a partial in pieces and rejects of their own, and deleted with their source.

use tributary_store::{Error, FileState, RejectRow, ReportFileRow, ReportRow, Store};

use crate::{Database, strings};

fn reject(line: i64) -> RejectRow {
    RejectRow { line, byte_offset: 10 * line, reason: format!("reason {line}"), raw: "raw".to_owned() }
}

fn put(store: &mut Store, report: &str, source: i64, path: &str) -> i64 {
    store.put_report_file(&mut ReportFileRow::new(report, source, path)).unwrap()
}

/// The pieces of a partial.
fn pieces(store: &mut Store, id: i64) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let count = store.partial(id, |piece| -> Result<(), Error> {
        pieces.push(piece.to_vec());
        Ok(())
    });
    assert_eq!(count.unwrap(), pieces.len() as i64);
    pieces
}

fn replace_partial<P: AsRef<[u8]>>(store: &mut Store, id: i64, pieces: impl IntoIterator<Item = P>) {
    store.clear_partial(id).unwrap();
    (0..).zip(pieces).for_each(|(part_no, piece)| store.add_partial_piece(id, part_no, piece.as_ref()).unwrap());
}

#[test]
fn a_file_is_found_by_report_source_and_path() {
    let mut database = Database::new();
    let store = &mut database.store;
    let source = store.put_source("north", "http://n", 0, 0).unwrap();
    let mut file = ReportFileRow::new("sales", source, "b.csv");
    let id = store.put_report_file(&mut file).unwrap();
    let other = put(store, "prices", source, "b.csv");
    let first = put(store, "sales", source, "a.csv");
    assert!(id != other && id != first && file.id == id);

    let mut changed = ReportFileRow {
        id: 0,
        hash: Some("h".into()),
        reading: Some("r".into()),
        row_count: 9,
        passed_over: 3,
        rejects: 2,
        groups: 4,
        state: FileState::Rejected,
        rejected_hash: Some("h2".into()),
        rejected_reading: Some("r2".into()),
        rejected_reason: Some("why".into()),
        ..file
    };
    assert_eq!(store.put_report_file(&mut changed).unwrap(), id);
    let files = store.report_files("sales").unwrap();
    assert_eq!(files.iter().map(|file| file.id).collect::<Vec<_>>(), [first, id]);
    assert_eq!(files[1], changed);
    assert!(store.put_report_file(&mut ReportFileRow::new("sales", 99, "a.csv")).is_err());
}

#[test]
fn the_files_of_a_report_are_found_by_source() {
    let mut database = Database::new();
    let store = &mut database.store;
    // The ids run against the names.
    let [south, north, east] = ["south", "north", "east"].map(|name| store.put_source(name, "http://x", 0, 0).unwrap());
    for (report, source, path) in
        [("sales", south, "b.csv"), ("sales", south, "a.csv"), ("sales", north, "a.csv"), ("prices", east, "a.csv")]
    {
        put(store, report, source, path);
    }
    let paths = |files: Vec<ReportFileRow>| files.into_iter().map(|file| file.path).collect::<Vec<_>>();
    assert_eq!(paths(store.report_files_of("sales", south).unwrap()), ["a.csv", "b.csv"]);
    assert_eq!(paths(store.report_files_of("sales", east).unwrap()), [""; 0]);
    assert_eq!(store.report_sources("sales").unwrap(), strings(&["north", "south"]));
    assert_eq!(store.report_sources("prices").unwrap(), strings(&["east"]));
    assert_eq!(store.report_sources("none").unwrap(), strings(&[]));

    let found = store.report_file("sales", "south", "b.csv").unwrap();
    assert_eq!(found, store.report_files_of("sales", south).unwrap().pop());
    assert!(found.is_some());
    for (report, source, path) in
        [("prices", "south", "b.csv"), ("sales", "north", "b.csv"), ("sales", "west", "a.csv")]
    {
        assert_eq!(store.report_file(report, source, path).unwrap(), None, "{report} {source} {path}");
    }
}

#[test]
fn a_partial_comes_back_in_its_pieces() {
    let mut database = Database::new();
    let store = &mut database.store;
    let source = store.put_source("north", "http://n", 0, 0).unwrap();
    let (id, other) = (put(store, "sales", source, "a.csv"), put(store, "sales", source, "b.csv"));
    assert!(pieces(store, id).is_empty());
    let large: Vec<Vec<u8>> = vec![vec![1; 1 << 20], vec![2; 1 << 20], vec![3]];
    replace_partial(store, id, &large);
    replace_partial(store, other, [b"other"]);
    assert_eq!(pieces(store, id), large);
    replace_partial(store, id, [b"small"]);
    assert_eq!(pieces(store, id), [b"small"]);
    let stopped = store.partial(id, |_| Err(Error::Corrupt { what: "enough".into() }));
    assert!(stopped.is_err());

    store.delete_report_file(id).unwrap();
    assert!(pieces(store, id).is_empty());
    assert_eq!(pieces(store, other), [b"other"]);
    assert!(matches!(store.delete_report_file(id), Err(Error::Corrupt { .. })));
}

#[test]
fn rejects_of_reports_and_of_feeds_are_in_order_of_time() {
    let mut database = Database::new();
    let feed = database.file("north");
    let store = &mut database.store;
    let source = store.sources().unwrap()[0].id;
    let (sales, prices) = (put(store, "sales", source, "a.csv"), put(store, "prices", source, "b.csv"));
    store.replace_rejects(feed, false, &[reject(1)]).unwrap();
    store.replace_report_rejects(sales, false, &[reject(2), reject(3)]).unwrap();
    store.replace_rejects(feed, true, &[reject(4)]).unwrap();
    store.replace_report_rejects(prices, true, &[reject(5)]).unwrap();
    let mut check = |report, source, file, limit, expect: &[(i64, Option<&str>)]| {
        let rows = store.newest_rejects(report, source, file, limit).unwrap();
        let found: Vec<_> = rows.iter().map(|row| (row.line, row.report.as_deref())).collect();
        assert_eq!(found, expect, "{report:?} {source:?} {file:?} {limit}");
    };
    let all = [(5, Some("prices")), (4, None), (3, Some("sales")), (2, Some("sales")), (1, None)];
    check(None, None, None, 9, &all);
    check(None, None, None, 3, &all[..3]);
    check(None, Some("north"), None, 9, &all);
    check(None, Some("south"), None, 9, &[]);
    check(None, None, Some("a.csv"), 9, &all[1..]);
    check(Some("sales"), None, None, 9, &all[2..4]);
    check(Some("sales"), None, Some("b.csv"), 9, &[]);
    assert_eq!(store.rejects_count().unwrap(), 5);

    store.replace_report_rejects(sales, false, &[]).unwrap();
    assert_eq!(store.rejects_count().unwrap(), 3);
}

#[test]
fn what_reports_have_of_a_source_goes_with_it() {
    let mut database = Database::new();
    let store = &mut database.store;
    let [north, south] = ["north", "south"].map(|name| store.put_source(name, "http://x", 0, 0).unwrap());
    let gone = put(store, "sales", north, "a.csv");
    let kept = put(store, "sales", south, "a.csv");
    for id in [gone, kept] {
        replace_partial(store, id, [b"x"]);
        store.replace_report_rejects(id, false, &[reject(1)]).unwrap();
    }
    store.delete_source(north).unwrap();
    assert_eq!(store.report_files("sales").unwrap().iter().map(|file| file.id).collect::<Vec<_>>(), [kept]);
    assert!(pieces(store, gone).is_empty());
    assert_eq!(store.rejects_count().unwrap(), 1);
}

#[test]
fn a_dropped_report_leaves_nothing() {
    let mut database = Database::new();
    let store = &mut database.store;
    let source = store.put_source("north", "http://n", 0, 0).unwrap();
    let row = |name: &str, groups| ReportRow {
        name: name.into(),
        digest: "d".into(),
        groups,
        computed_at: "t".into(),
        standing: "{}".into(),
    };
    for name in ["sales", "prices"] {
        let id = put(store, name, source, "a.csv");
        replace_partial(store, id, [b"x"]);
        store.replace_report_rejects(id, false, &[reject(1)]).unwrap();
        store.put_report(&row(name, 1)).unwrap();
    }
    store.put_report(&row("prices", 2)).unwrap();
    store.write_report(&super::table::table("sales", &["a"], &["b"]), []).unwrap();
    store.write_report(&super::table::table("left behind", &["a"], &["b"]), []).unwrap();
    assert_eq!(store.report_names().unwrap(), strings(&["left behind", "prices", "sales"]));
    for name in ["sales", "left behind", "never there"] {
        store.drop_report(name).unwrap();
    }
    assert_eq!(store.report_names().unwrap(), strings(&["prices"]));
    assert_eq!(store.reports().unwrap(), [row("prices", 2)]);
    assert_eq!((store.report("prices").unwrap(), store.report("sales").unwrap()), (Some(row("prices", 2)), None));
    assert_eq!(store.rejects_count().unwrap(), 1);
    store.empty().unwrap();
    assert_eq!((store.report_names().unwrap(), store.rejects_count().unwrap()), (vec![], 0));
}
