//! Makes the folder and the table of documents agree at a start. A body that no row names is deleted. A whole document that no row
//! names comes from another database, an emptied one or an earlier version: it is taken in, because nothing that was sent may get
//! lost.

use std::{collections::BTreeSet, fs, time::SystemTime};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use tributary_config::{PRODUCTS, UPLOADS};
use tributary_store::{DocumentRow, DocumentState, Place, Store};

use super::{
    changes::Changes,
    folder::{DocumentFolder, FoundFile, hash_file},
    path,
    settle::{SUPERSEDED, fail},
};
use crate::{
    clock::{self, now},
    count,
};

/// The documents that an earlier process left.
pub(crate) struct Recovered {
    /// Those that paths stand for.
    pub(crate) standing: Vec<DocumentRow>,
    /// The paths of those that are applied and whose file is gone.
    pub(crate) missing: BTreeSet<String>,
    /// Those whose body comes in parts and is not complete.
    pub(crate) unfinished: Vec<DocumentRow>,
}

/// Makes them agree, and returns the documents that are left. Runs before anything reads them.
///
/// # Errors
/// The database or the folder fails.
pub(crate) fn recover(store: &mut Store, folder: &DocumentFolder) -> Result<Recovered> {
    let has_part = |row: &DocumentRow| {
        let part = FoundFile::Part(row.id.clone());
        let length = fs::metadata(folder.found_path(&part)).map_or(0, |found| found.len());
        row.expires_at.is_some() && length >= row.bytes.unsigned_abs()
    };
    let (unfinished, interrupted) = store.receiving_documents()?.into_iter().partition::<Vec<_>, _>(has_part);
    fail_interrupted(store, &interrupted)?;
    if folder.exists() {
        tidy(store, folder, &unfinished).context("failed to tidy the folder of uploads")?;
    }
    let standing = store.all_standing_documents()?;
    let missing = if folder.exists() { missing(folder, &standing) } else { BTreeSet::new() };
    Ok(Recovered { standing, missing, unfinished })
}

/// The paths of applied documents whose file is gone.
fn missing(folder: &DocumentFolder, standing: &[DocumentRow]) -> BTreeSet<String> {
    let is_gone = |row: &&DocumentRow| row.place == Some(Place::Current) && !folder.has(&row.id, &row.path);
    standing.iter().filter(is_gone).map(|row| row.path.clone()).collect()
}

fn fail_interrupted(store: &mut Store, interrupted: &[DocumentRow]) -> Result<()> {
    store
        .transaction(|store| interrupted.iter().cloned().map(failed).try_for_each(|row| store.update_document(&row)))?;
    if !interrupted.is_empty() {
        let count = interrupted.len();
        tracing::warn!(uploads = count, "{count} uploads failed because the master stopped while receiving them");
    }
    Ok(())
}

fn failed(row: DocumentRow) -> DocumentRow {
    let error = Some("the master stopped while receiving the file; upload it again".to_owned());
    DocumentRow { state: DocumentState::Failed, error, finished_at: Some(now()), ..row }
}

fn tidy(store: &mut Store, folder: &DocumentFolder, unfinished: &[DocumentRow]) -> Result<()> {
    let mut unknown = Vec::new();
    for file in folder.files()? {
        match &file {
            FoundFile::Part(id) if unfinished.iter().any(|row| row.id == *id) => {}
            FoundFile::Part(id) => match store.document(id)?.filter(|row| row.place.is_some()) {
                Some(row) => folder.publish(id, &row.path)?,
                None => folder.delete_part(id)?,
            },
            FoundFile::Document { id, .. } => match store.document(id)? {
                Some(row) if row.place.is_none() => folder.delete(id, &row.path)?,
                Some(_) => {}
                None => unknown.push(file),
            },
            FoundFile::Named(_) | FoundFile::Former(_) => unknown.push(file),
        }
    }
    let modified = |file: &FoundFile| fs::metadata(folder.found_path(file)).and_then(|found| found.modified());
    unknown.sort_by_cached_key(|file| (!matches!(file, FoundFile::Former(_)), modified(file).ok()));
    unknown.iter().try_for_each(|file| take_in(store, folder, file))
}

/// Takes in a document that no row names. The latest of a path counts.
fn take_in(store: &mut Store, folder: &DocumentFolder, file: &FoundFile) -> Result<()> {
    let (id, path) = match file {
        FoundFile::Document { id, path } => (Some(id.clone()), path.clone()),
        FoundFile::Named(name) => (None, Some(name.clone())),
        FoundFile::Former(id) => (None, store.document(id)?.map(|row| row.path)),
        FoundFile::Part(_) => (None, None),
    };
    let Some(path) = path.filter(|path| path::is_readable(path)) else {
        let name = folder.found_path(file);
        tracing::warn!("left {} in the folder of uploads: it is no document that could be read", name.display());
        return Ok(());
    };
    let place = folder.found_path(file);
    let (bytes, hash) = hash_file(&place)?;
    let known = store.newest_documents(Some(&path), i64::MAX)?.into_iter().find(|row| {
        row.hash.as_ref() == Some(&hash) && matches!(row.state, DocumentState::Queued | DocumentState::Complete)
    });
    let is_accepted = known.as_ref().is_some_and(|row| row.state == DocumentState::Complete)
        || store.file_of(PRODUCTS, UPLOADS, &path)?.is_some_and(|row| row.hash.as_ref() == Some(&hash));
    let created_at = time(fs::metadata(&place).and_then(|found| found.modified()).ok());
    let row = known.clone().unwrap_or_else(|| DocumentRow {
        bytes: count::stored(bytes),
        hash: Some(hash),
        ..DocumentRow::new(&id.unwrap_or_else(path::new_id), &path, &created_at)
    });
    let row = store.transaction(|store| put(store, row, known.is_some(), is_accepted))?;
    folder.adopt(file, &row.id, &row.path)?;
    tracing::info!(file.path = %path, "took in `{path}`, which lay in the folder of uploads");
    Ok(())
}

fn put(store: &mut Store, row: DocumentRow, is_known: bool, is_accepted: bool) -> Result<DocumentRow> {
    let has_current = store.document_at(&row.path, Place::Current)?.is_some();
    let row = if is_accepted && !has_current {
        DocumentRow { state: DocumentState::Complete, place: Some(Place::Current), ..row }
    } else {
        if let Some(next) = store.document_at(&row.path, Place::Next)?.filter(|next| next.id != row.id) {
            fail(store, next, DocumentState::Superseded, SUPERSEDED.to_owned(), &mut Changes::default())?;
        }
        DocumentRow { state: DocumentState::Queued, place: Some(Place::Next), finished_at: None, ..row }
    };
    if is_known {
        store.update_document(&row)?;
    } else {
        store.insert_document(&row)?;
    }
    Ok(row)
}

fn time(modified: Option<SystemTime>) -> String {
    clock::text(modified.map_or_else(Utc::now, DateTime::<Utc>::from))
}
