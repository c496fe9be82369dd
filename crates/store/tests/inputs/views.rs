//! Sources and files as people read them.

use tributary_store::{FileFilter, FileRow, FileState, FileSums, SourceState};

use crate::{Database, FEED, edit, put, strings};

#[test]
fn a_source_is_shown_with_the_sums_of_its_files() {
    let mut database = Database::new();
    let store = &mut database.store;
    let south = store.put_source("south", "http://s", 0, 0).unwrap();
    store.put_source("north", "http://n", 0, 1).unwrap();
    let files = [
        (FEED, "b.csv", 10, 1),
        (FEED, "a.csv", 20, 2),
        ("sales", "a.csv", 5, 5),
        ("sales", "c.csv", 5, 5),
        ("prices", "a.csv", 5, 5),
    ];
    for (reader, path, results, rejects) in files {
        let file = FileRow::new(reader, south, path);
        store.put_file(&mut FileRow { row_count: 10, results, rejects, ..file }).unwrap();
    }
    let rows = store.sources_view(FEED).unwrap();
    let sums: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.sums, row.others)).collect();
    let of = |files, rows, results, rejects| FileSums { files, rows, results, rejects };
    // `a.csv` is read by two others, and counts once.
    let expect = [("north", FileSums::default(), FileSums::default()), ("south", of(2, 20, 30, 3), of(2, 30, 15, 15))];
    assert_eq!(sums, expect);
    assert_eq!(rows[0].state, SourceState::Unknown);
}

#[test]
fn files_and_edits_come_in_key_order_and_cut_at_the_limit() {
    let mut database = Database::new();
    let store = &mut database.store;
    // The ids run against the names: the order must come from the names.
    for source in ["south", "north"] {
        let id = store.put_source(source, "http://x", 0, 0).unwrap();
        for path in ["b.csv", "a.csv"] {
            put(store, FEED, id, path);
            put(store, "sales", id, path);
        }
    }
    assert_eq!(store.files_count(FEED).unwrap(), 4);
    let of_feed = FileFilter::of_reader(FEED);
    let south = FileFilter { source: Some("south".to_owned()), ..of_feed.clone() };
    assert_eq!(store.files_view(&south, 0, 9).unwrap().len(), 2);
    let both = FileFilter { readers: strings(&[FEED, "sales"]), ..south.clone() };
    let files = store.files_view(&both, 1, 9).unwrap();
    let names: Vec<_> = files.iter().map(|row| format!("{} {}", row.path, row.reader)).collect();
    assert_eq!(names, ["a.csv sales".to_owned(), format!("b.csv {FEED}"), "b.csv sales".to_owned()]);
    let rejected = FileFilter { only_rejected: true, ..both };
    assert_eq!(store.files_view(&rejected, 0, 9).unwrap(), []);
    let mut file = store.file_of("sales", "south", "b.csv").unwrap().unwrap();
    file.state = FileState::Rejected;
    store.put_file(&mut file).unwrap();
    assert_eq!(store.files_view(&rejected, 0, 9).unwrap().len(), 1);
    let files = store.files_view(&of_feed, 0, 3).unwrap();
    let names: Vec<_> = files.iter().map(|row| format!("{} {}", row.source, row.path)).collect();
    assert_eq!(names, ["north a.csv", "north b.csv", "south a.csv"]);
    assert_eq!(files[0].state, FileState::Changing);

    for sku in ["c", "a", "b"] {
        store.put_edit(&edit(sku)).unwrap();
    }
    let mut skus =
        |sku, limit| store.edits_view(sku, limit).unwrap().into_iter().map(|row| row.sku).collect::<Vec<_>>();
    assert_eq!(skus(None, 2), strings(&["a", "b"]));
    assert_eq!(skus(Some("c"), 2), strings(&["c"]));
    assert_eq!(skus(Some("d"), 2), strings(&[]));
}
