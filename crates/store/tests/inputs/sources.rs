//! Sources: configured, passed over, deleted.

use tributary_store::{Error, SourcePass, SourceState};

use crate::{Database, page};

#[test]
fn sources_keep_their_id_and_come_in_the_order_of_the_configuration() {
    let mut database = Database::new();
    let store = &mut database.store;
    let south = store.put_source("south", "http://s", 5, 1).unwrap();
    let north = store.put_source("north", "http://n", 0, 0).unwrap();
    let east = store.put_source("east", "http://e", 0, 1).unwrap();
    assert_eq!(store.put_source("south", "http://other", -1, 1).unwrap(), south);
    let rows = store.sources().unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [north, east, south]);
    let row = &rows[2];
    assert_eq!((row.url.as_str(), row.priority, row.state), ("http://other", -1, SourceState::Unknown));
}

#[test]
fn a_pass_clears_the_error_and_keeps_what_it_does_not_say() {
    let mut database = Database::new();
    let store = &mut database.store;
    let id = store.put_source("north", "http://n", 0, 0).unwrap();
    let text = |words: &str| Some(words.to_owned());
    let good = SourcePass {
        state: SourceState::Up,
        error: None,
        version: Some(text("v1")),
        last_sensed: text("2026-11-22T10:00:00Z"),
        last_applied: text("2026-11-22T10:00:01Z"),
    };
    store.set_source_pass(id, &good).unwrap();
    let bad = SourcePass {
        state: SourceState::Down,
        error: text("no answer"),
        version: None,
        last_sensed: None,
        last_applied: None,
    };
    store.set_source_pass(id, &bad).unwrap();
    let row = store.sources().unwrap().remove(0);
    assert_eq!((row.state, &row.error), (SourceState::Down, &bad.error));
    assert_eq!(
        (&row.version, &row.last_sensed, &row.last_applied),
        (good.version.as_ref().unwrap(), &good.last_sensed, &good.last_applied)
    );

    store.set_source_pass(id, &SourcePass { state: SourceState::Rejected, error: None, ..bad }).unwrap();
    let row = store.sources().unwrap().remove(0);
    assert_eq!((row.state, row.error, row.version), (SourceState::Rejected, None, good.version.clone().unwrap()));
    store.set_source_pass(id, &SourcePass { version: Some(None), ..good.clone() }).unwrap();
    assert_eq!(store.sources().unwrap()[0].version, None);
    assert!(matches!(store.set_source_pass(id + 1, &good), Err(Error::Corrupt { .. })));
}

#[test]
fn a_source_is_deleted_after_its_files_with_offers() {
    let mut database = Database::new();
    let file_id = database.file_of("north");
    let store = &mut database.store;
    let source_id = store.sources().unwrap()[0].id;
    store.insert_pages(file_id, [page("a", 1)]).unwrap();
    assert!(matches!(store.delete_source(source_id), Err(Error::Query { .. })));
    store.delete_file(file_id).unwrap();
    store.delete_source(source_id).unwrap();
    assert_eq!(store.sources().unwrap(), []);
}
