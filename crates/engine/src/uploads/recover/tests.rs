//! Tests of what a restart finds in the uploads folder.

use std::{fs, io::Write};

use super::*;

fn row(id: &str, state: UploadState, replaces: bool) -> UploadRow {
    UploadRow {
        id: id.repeat(32),
        filename: "f.csv".into(),
        state,
        bytes: 3,
        hash: (state == UploadState::Queued).then(|| "blake3:00".to_owned()),
        replaces,
        row_count: 0,
        rejects: 0,
        error: None,
        created_at: now(),
        finished_at: state.is_final().then(now),
    }
}

/// Recovers from these uploads. Each letter of `bodies` is an upload that has a body in the folder, whose text is the letter; the
/// upload `backup` has a backup. Returns the text of `f.csv` and the names of all files.
fn recovered(rows: &[UploadRow], bodies: &str, backup: Option<&str>) -> (Option<String>, Vec<String>) {
    let parent = tempfile::tempdir().unwrap();
    let mut store = Store::open(&parent.path().join("database.db").to_str().unwrap().parse().unwrap()).unwrap();
    rows.iter().for_each(|row| store.put_upload(row).unwrap());
    let folder = UploadFolder::new(parent.path().join("uploads"));
    folder.create().unwrap();
    fs::write(parent.path().join("uploads/f.csv"), "former").unwrap();
    for id in bodies.chars().map(String::from) {
        folder.create_incoming(&id.repeat(32)).unwrap().write_all(id.as_bytes()).unwrap();
    }
    if let Some(id) = backup {
        fs::write(parent.path().join(format!("uploads/.{}.former", id.repeat(32))), "before").unwrap();
    }
    recover(&mut store, &folder).unwrap();
    let left = store.uploads(None).unwrap();
    assert!(left.iter().all(|row| row.state != UploadState::Receiving));
    let mut names: Vec<_> = fs::read_dir(parent.path().join("uploads"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    (fs::read_to_string(parent.path().join("uploads/f.csv")).ok(), names)
}

#[track_caller]
fn check(rows: &[UploadRow], bodies: &str, backup: Option<&str>, content: &str, kept: Option<&str>) {
    let (found, names) = recovered(rows, bodies, backup);
    assert_eq!(found.as_deref(), Some(content));
    let kept = kept.map(|id| format!(".{}.former", id.repeat(32)));
    assert_eq!(names, kept.into_iter().chain(["f.csv".to_owned()]).collect::<Vec<_>>());
}

#[test]
fn an_incomplete_body_is_deleted() {
    check(&[row("a", UploadState::Receiving, false)], "a", None, "former", None);
    // The table knows neither.
    check(&[], "b", Some("c"), "former", None);
}

#[test]
fn a_complete_body_gets_its_name() {
    check(&[row("a", UploadState::Queued, false)], "a", None, "a", None);
    check(&[row("a", UploadState::Queued, true)], "a", None, "a", Some("a"));
    check(&[row("a", UploadState::Queued, true)], "", Some("a"), "former", Some("a"));
    check(&[row("a", UploadState::Complete, true)], "", Some("a"), "former", None);
}

#[test]
fn the_backup_of_an_overtaken_upload_is_inherited() {
    let rows = [row("a", UploadState::Failed, true), row("b", UploadState::Queued, true)];
    check(&rows, "b", Some("a"), "b", Some("b"));
}
