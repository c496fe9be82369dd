//! Reports: the partials of their files in pieces, and what goes with a source, a reader or a report.

use tributary_store::{Error, RejectRow, ReportRow, Store};

use crate::{Database, put, strings};

fn reject(line: i64) -> RejectRow {
    RejectRow { line, byte_offset: 10 * line, reason: format!("reason {line}"), raw: "raw".to_owned() }
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

    store.delete_file(id).unwrap();
    assert!(pieces(store, id).is_empty());
    assert_eq!(pieces(store, other), [b"other"]);
    assert!(matches!(store.delete_file(id), Err(Error::Corrupt { .. })));
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
        store.replace_rejects(id, false, &[reject(1)]).unwrap();
    }
    store.delete_source(north).unwrap();
    assert_eq!(store.files_of_reader("sales").unwrap().iter().map(|file| file.id).collect::<Vec<_>>(), [kept]);
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
        store.replace_rejects(id, false, &[reject(1)]).unwrap();
        store.put_report(&row(name, 1)).unwrap();
    }
    store.put_report(&row("prices", 2)).unwrap();
    store.write_report(&super::table::table("sales", &["a"], &["b"]), []).unwrap();
    store.write_report(&super::table::table("left behind", &["a"], &["b"]), []).unwrap();
    assert_eq!(store.report_names().unwrap(), strings(&["left behind", "prices", "sales"]));
    for name in ["sales", "left behind", "never there"] {
        store.drop_report(name).unwrap();
        store.delete_files_of_reader(name).unwrap();
    }
    assert_eq!(store.report_names().unwrap(), strings(&["prices"]));
    assert_eq!(store.reports().unwrap(), [row("prices", 2)]);
    assert_eq!((store.report("prices").unwrap(), store.report("sales").unwrap()), (Some(row("prices", 2)), None));
    assert_eq!((store.readers().unwrap(), store.rejects_count().unwrap()), (strings(&["prices"]), 1));
    store.empty().unwrap();
    assert_eq!((store.report_names().unwrap(), store.rejects_count().unwrap()), (vec![], 0));
}
