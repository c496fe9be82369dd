//! Uploads: stored, changed, listed and deleted.

use tributary_store::{UploadRow, UploadState};

use crate::Database;

fn upload(number: usize, state: UploadState) -> UploadRow {
    UploadRow {
        id: format!("{number:032x}"),
        filename: format!("{}.csv", number % 2),
        state,
        bytes: 0,
        hash: None,
        replaces: false,
        row_count: 0,
        rejects: 0,
        error: None,
        created_at: format!("2026-11-25T10:00:00.{number:09}Z"),
        finished_at: state.is_final().then(|| "2026-11-25T11:00:00.000Z".to_owned()),
    }
}

#[test]
fn an_upload_is_stored_changed_and_forgotten() {
    let mut store = Database::new();
    let store = &mut store.store;
    let first = upload(1, UploadState::Receiving);
    store.put_upload(&first).unwrap();
    assert_eq!(store.upload(&first.id).unwrap().as_ref(), Some(&first));
    let changed = UploadRow {
        state: UploadState::Failed,
        bytes: 7,
        hash: Some("blake3:00".into()),
        replaces: true,
        row_count: 3,
        rejects: 2,
        error: Some("why".into()),
        finished_at: Some("2026-11-25T12:00:00.000Z".into()),
        ..first.clone()
    };
    store.put_upload(&changed).unwrap();
    // What is set to nothing is nothing again.
    for row in [changed, first] {
        store.put_upload(&row).unwrap();
        assert_eq!(store.uploads(None).unwrap(), [row]);
    }
    store.delete_upload(&format!("{:032x}", 1)).unwrap();
    assert_eq!(store.upload(&format!("{:032x}", 1)).unwrap(), None);
    assert!(store.delete_upload(&format!("{:032x}", 1)).is_err());
}

#[test]
fn they_are_listed_from_the_newest_on_and_by_file() {
    let mut store = Database::new();
    let store = &mut store.store;
    for number in [2, 1, 3] {
        store.put_upload(&upload(number, UploadState::Queued)).unwrap();
    }
    let ids =
        |rows: Vec<UploadRow>| rows.iter().map(|row| row.id.trim_start_matches('0').to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(store.uploads(None).unwrap()), ["3", "2", "1"]);
    assert_eq!(ids(store.uploads(Some("1.csv")).unwrap()), ["3", "1"]);
}

#[test]
fn a_thousand_are_kept_and_none_that_is_under_way_or_has_a_file() {
    let mut database = Database::new();
    let complete = |number, finished_at: &str| UploadRow {
        filename: "x.csv".into(),
        finished_at: Some(finished_at.into()),
        ..upload(number, UploadState::Complete)
    };
    let put = |number: usize| match number {
        1 => upload(number, UploadState::Queued),
        2 => complete(number, "2026-11-25T10:00:00.000Z"),
        // It has taken the place of the one before.
        3 => complete(number, "2026-11-25T10:00:01.000Z"),
        _ => upload(number, UploadState::Failed),
    };
    let all = |store: &mut tributary_store::Store| (0..1_005).try_for_each(|number| store.put_upload(&put(number)));
    database.store.transaction(all).unwrap();
    let kept = database.store.uploads(None).unwrap();
    assert_eq!(kept.len(), 1_002);
    assert_eq!(kept[1_000..], [put(3), put(1)]);
}

#[test]
fn they_are_forgotten_when_the_database_is_emptied() {
    let mut database = Database::new();
    database.store.put_upload(&upload(1, UploadState::Complete)).unwrap();
    database.store.empty().unwrap();
    assert_eq!(database.store.uploads(None).unwrap(), []);
}
