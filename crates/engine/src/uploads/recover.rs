//! What an earlier process has left: bodies that it did not receive as a whole are gone, and uploads that it had received go on
//! where they were. Runs before anything else looks at the folder.

use std::collections::HashSet;

use anyhow::{Context, Result};
use tributary_store::{Store, UploadRow, UploadState};

use super::shelf::{Piece, Shelf};
use crate::clock::now;

/// Brings the folder and the table `uploads` together. Returns what goes on.
///
/// # Errors
/// The database or the folder fails.
pub(crate) fn recover(store: &mut Store, shelf: &Shelf) -> Result<Vec<UploadRow>> {
    let rows = store.uploads(None)?;
    let interrupted = rows.iter().filter(|row| row.state == UploadState::Receiving).cloned();
    let interrupted: Vec<_> = interrupted.map(fail).collect();
    store.transaction(|store| interrupted.iter().try_for_each(|row| store.put_upload(row)))?;
    if !interrupted.is_empty() {
        let count = interrupted.len();
        tracing::warn!(uploads = count, "{count} uploads were broken off when the master stopped, and are failed");
    }
    let queued: Vec<_> = rows.iter().filter(|row| row.state == UploadState::Queued).cloned().collect();
    if shelf.exists() {
        tidy(shelf, &rows, &queued).context("failed to tidy the folder of uploads")?;
    }
    Ok(queued)
}

fn fail(row: UploadRow) -> UploadRow {
    let error = Some("the master stopped while it was received; upload it again".to_owned());
    UploadRow { state: UploadState::Failed, error, finished_at: Some(now()), ..row }
}

fn tidy(shelf: &Shelf, rows: &[UploadRow], queued: &[UploadRow]) -> Result<()> {
    for row in queued {
        // It was noted as received just before its file got its name; one that it drove out has failed in the same moment.
        let is_rival = |other: &&UploadRow| {
            other.filename == row.filename && other.state == UploadState::Failed && shelf.has_former(&other.id)
        };
        let rival = rows.iter().find(is_rival).map(|rival| rival.id.as_str());
        shelf.publish(&row.id, &row.filename, row.replaces, rival)?;
    }
    let replacing: HashSet<&str> = queued.iter().filter(|row| row.replaces).map(|row| row.id.as_str()).collect();
    for piece in shelf.pieces()? {
        match piece {
            Piece::Part(id) => shelf.discard(&id)?,
            Piece::Former(id) if !replacing.contains(id.as_str()) => shelf.keep(&id)?,
            Piece::Former(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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

    /// Recovers from these uploads, of which those with a letter have a body in the folder, whose text is the letter. Gives the
    /// file's text and the names of all files.
    fn recovered(rows: &[UploadRow], bodies: &str, former: Option<&str>) -> (Option<String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("database.db").to_str().unwrap().parse().unwrap()).unwrap();
        rows.iter().for_each(|row| store.put_upload(row).unwrap());
        let shelf = Shelf::new(folder.path().join("uploads"));
        shelf.make().unwrap();
        fs::write(folder.path().join("uploads/f.csv"), "former").unwrap();
        for id in bodies.chars().map(String::from) {
            shelf.begin(&id.repeat(32)).unwrap().write_all(id.as_bytes()).unwrap();
        }
        if let Some(id) = former {
            fs::write(folder.path().join(format!("uploads/.{}.former", id.repeat(32))), "before").unwrap();
        }
        recover(&mut store, &shelf).unwrap();
        let left = store.uploads(None).unwrap();
        assert!(left.iter().all(|row| row.state != UploadState::Receiving));
        let mut names: Vec<_> = fs::read_dir(folder.path().join("uploads"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        (fs::read_to_string(folder.path().join("uploads/f.csv")).ok(), names)
    }

    #[track_caller]
    fn check(rows: &[UploadRow], bodies: &str, former: Option<&str>, content: &str, kept: Option<&str>) {
        let (found, names) = recovered(rows, bodies, former);
        assert_eq!(found.as_deref(), Some(content));
        let kept = kept.map(|id| format!(".{}.former", id.repeat(32)));
        assert_eq!(names, kept.into_iter().chain(["f.csv".to_owned()]).collect::<Vec<_>>());
    }

    #[test]
    fn a_body_that_was_not_received_as_a_whole_is_gone() {
        check(&[row("a", UploadState::Receiving, false)], "a", None, "former", None);
        // Nobody knows it.
        check(&[], "b", Some("c"), "former", None);
    }

    #[test]
    fn a_received_one_gets_its_name_and_goes_on() {
        check(&[row("a", UploadState::Queued, false)], "a", None, "a", None);
        check(&[row("a", UploadState::Queued, true)], "a", None, "a", Some("a"));
        check(&[row("a", UploadState::Queued, true)], "", Some("a"), "former", Some("a"));
        check(&[row("a", UploadState::Complete, true)], "", Some("a"), "former", None);
    }

    #[test]
    fn one_that_was_being_driven_out_leaves_what_it_had_kept() {
        let rows = [row("a", UploadState::Failed, true), row("b", UploadState::Queued, true)];
        check(&rows, "b", Some("a"), "b", Some("b"));
    }
}
