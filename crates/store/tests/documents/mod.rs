//! Documents and messages: stored, changed, listed and deleted.

use tributary_store::{DocumentRow, DocumentState, MessageRow, Place, Store};

use crate::Database;

fn document(number: usize, state: DocumentState, place: Option<Place>) -> DocumentRow {
    let (id, path) = (format!("{number:032x}"), format!("in/{}.csv", number % 2));
    let finished_at = state.is_final().then(|| "2026-11-25T11:00:00.000Z".to_owned());
    let created_at = format!("2026-11-25T10:00:00.{number:09}Z");
    DocumentRow { state, place, finished_at, ..DocumentRow::new(&id, &path, &created_at) }
}

fn numbers(rows: &[DocumentRow]) -> Vec<usize> {
    rows.iter().map(|row| usize::from_str_radix(&row.id, 16).unwrap()).collect()
}

#[test]
fn a_document_is_stored_and_changed() {
    let mut database = Database::new();
    let store = &mut database.store;
    let first = document(1, DocumentState::Receiving, None);
    store.insert_document(&first).unwrap();
    assert!(store.insert_document(&first).is_err());
    assert_eq!(store.document(&first.id).unwrap().as_ref(), Some(&first));
    assert_eq!(store.receiving_documents().unwrap(), std::slice::from_ref(&first));
    let changed = DocumentRow {
        state: DocumentState::Failed,
        place: Some(Place::Next),
        bytes: 7,
        hash: Some("blake3:00".into()),
        row_count: 3,
        rejects: 2,
        error: Some("why".into()),
        message: Some("m".into()),
        sequence: Some(-4),
        finished_at: Some("2026-11-25T12:00:00.000Z".into()),
        length: Some(9),
        may_replace: true,
        expires_at: Some("2026-11-25T13:00:00.000Z".into()),
        header: Some("[\"a\"]".into()),
        ..first.clone()
    };
    // What is set to nothing is nothing again.
    for row in [changed, first] {
        store.update_document(&row).unwrap();
        assert_eq!(store.newest_documents(None, 9).unwrap(), [row]);
    }
    assert!(store.update_document(&document(2, DocumentState::Failed, None)).is_err());
}

#[test]
fn a_path_stands_for_the_next_document_or_else_the_current_one() {
    let mut database = Database::new();
    let store = &mut database.store;
    for (number, place) in
        [(1, Some(Place::Current)), (2, Some(Place::Current)), (3, Some(Place::Next)), (5, None), (7, None)]
    {
        store.insert_document(&document(number, DocumentState::Complete, place)).unwrap();
    }
    assert!(store.insert_document(&document(9, DocumentState::Queued, Some(Place::Next))).is_err(), "it is taken");
    assert_eq!(numbers(&store.all_standing_documents().unwrap()), [2, 3]);
    assert_eq!(numbers(&store.standing_documents(&["in/1.csv", "none.csv"]).unwrap()), [3]);
    assert_eq!(store.standing_paths_below("in/").unwrap(), ["in/0.csv", "in/1.csv"]);
    for folder in ["in/0.csv/", "i/", "im/", "In/"] {
        assert!(store.standing_paths_below(folder).unwrap().is_empty(), "{folder}");
    }
    let at =
        |store: &mut Store, path: &str, place| store.document_at(path, place).unwrap().map(|row| numbers(&[row])[0]);
    assert_eq!(at(store, "in/1.csv", Place::Current), Some(1));
    assert_eq!(at(store, "in/1.csv", Place::Next), Some(3));
    assert_eq!(at(store, "in/0.csv", Place::Next), None);
    assert_eq!(numbers(&store.newest_documents(Some("in/1.csv"), 2).unwrap()), [7, 5]);
    store.update_document(&document(7, DocumentState::Deleted, None)).unwrap();
    assert_eq!(numbers(&store.newest_documents(None, 2).unwrap()), [5, 3]);
    assert_eq!(store.latest_document("in/1.csv").unwrap().unwrap().state, DocumentState::Deleted);
}

#[test]
fn a_thousand_are_kept_and_those_that_are_under_way_or_may_have_a_file() {
    let mut database = Database::new();
    let all = |store: &mut Store| {
        store.insert_document(&document(1, DocumentState::Receiving, None))?;
        store.insert_document(&document(3, DocumentState::Complete, Some(Place::Current)))?;
        (4..1_007).try_for_each(|number| store.insert_document(&document(number, DocumentState::Failed, None)))?;
        store.delete_old_documents(&[document(5, DocumentState::Failed, None).id].into())
    };
    database.store.transaction(all).unwrap();
    let kept = numbers(&database.store.newest_documents(None, i64::MAX).unwrap());
    assert_eq!((kept.len(), &kept[999..]), (1_003, &[7, 5, 3, 1][..]));
}

fn message(id: Option<&str>, sequence: Option<i64>, received_at: &str) -> MessageRow {
    MessageRow {
        id: id.map(str::to_owned),
        path: "a.csv".into(),
        sequence,
        document: None,
        state: "queued".into(),
        received_at: received_at.into(),
    }
}

#[test]
fn a_message_is_known_until_it_is_too_old_or_too_many_follow() {
    let mut database = Database::new();
    let store = &mut database.store;
    for (id, at) in [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")] {
        store.insert_message(&message(Some(id), None, at)).unwrap();
    }
    store.insert_message(&message(None, Some(7), "5")).unwrap();
    store.insert_message(&message(None, None, "5")).unwrap();
    assert!(store.insert_message(&message(Some("a"), None, "6")).is_err());
    store.set_message_state("b", DocumentState::Complete).unwrap();
    assert_eq!(store.message("b").unwrap().unwrap().state, "complete");
    let known = |store: &mut Store| ["a", "b", "c", "d"].map(|id| store.message(id).unwrap().is_some());
    store.delete_old_messages(5, "0", 100).unwrap();
    assert_eq!(known(store), [false, true, true, true]);
    store.delete_old_messages(100, "4", 1).unwrap();
    assert_eq!(known(store), [false, false, true, true], "one at a time");
    store.delete_old_messages(100, "4", 100).unwrap();
    assert_eq!(known(store), [false, false, false, true]);
    store.set_message_state("a", DocumentState::Complete).unwrap();
    assert_eq!(store.message("a").unwrap(), None);
}

#[test]
fn the_greatest_sequence_is_that_of_messages_and_of_documents_with_a_file() {
    let mut database = Database::new();
    let store = &mut database.store;
    assert_eq!(store.greatest_sequence("in/1.csv").unwrap(), None);
    let with = |number, sequence, place| DocumentRow {
        sequence: Some(sequence),
        ..document(number, DocumentState::Complete, place)
    };
    store.insert_document(&with(1, 4, Some(Place::Current))).unwrap();
    store.insert_document(&with(3, 9, None)).unwrap();
    assert_eq!(store.greatest_sequence("in/1.csv").unwrap(), Some(4));
    store.insert_message(&message(Some("a"), Some(-3), "1")).unwrap();
    store.insert_message(&message(Some("b"), Some(5), "2")).unwrap();
    assert_eq!(store.greatest_sequence("a.csv").unwrap(), Some(5));
    store.insert_message(&MessageRow { path: "in/1.csv".into(), ..message(None, Some(6), "2") }).unwrap();
    assert_eq!(store.greatest_sequence("in/1.csv").unwrap(), Some(6));
}

#[test]
fn all_is_forgotten_when_the_database_is_emptied() {
    let mut database = Database::new();
    database.store.insert_document(&document(1, DocumentState::Complete, Some(Place::Current))).unwrap();
    database.store.insert_message(&message(Some("a"), None, "1")).unwrap();
    database.store.empty().unwrap();
    assert_eq!(database.store.newest_documents(None, 9).unwrap(), []);
    assert_eq!(database.store.message("a").unwrap(), None);
}
