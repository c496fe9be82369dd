//! Recovers uploads after a restart: incomplete bodies are deleted, and complete ones are processed further. Runs before anything
//! else reads the folder.

use std::collections::HashSet;

use anyhow::{Context, Result};
use tributary_store::{Store, UploadRow, UploadState};

use super::folder::{HiddenFile, Placement, UploadFolder};
use crate::clock::now;

/// Makes the folder and the table `uploads` agree, and returns the uploads that wait to be read.
///
/// # Errors
/// The database or the folder fails.
pub(crate) fn recover(store: &mut Store, folder: &UploadFolder) -> Result<Vec<UploadRow>> {
    let rows = store.uploads(None)?;
    let interrupted = rows.iter().filter(|row| row.state == UploadState::Receiving).cloned();
    let interrupted: Vec<_> = interrupted.map(fail).collect();
    store.transaction(|store| interrupted.iter().try_for_each(|row| store.put_upload(row)))?;
    if !interrupted.is_empty() {
        let count = interrupted.len();
        tracing::warn!(uploads = count, "{count} uploads failed because the master stopped while receiving them");
    }
    let queued: Vec<_> = rows.iter().filter(|row| row.state == UploadState::Queued).cloned().collect();
    if folder.exists() {
        tidy(folder, &rows, &queued).context("failed to tidy the folder of uploads")?;
    }
    Ok(queued)
}

fn fail(row: UploadRow) -> UploadRow {
    let error = Some("the master stopped while receiving the file; upload it again".to_owned());
    UploadRow { state: UploadState::Failed, error, finished_at: Some(now()), ..row }
}

fn tidy(folder: &UploadFolder, rows: &[UploadRow], queued: &[UploadRow]) -> Result<()> {
    for row in queued {
        // Its row was stored just before its file got its name. In the same transaction an upload that it overtook has failed.
        let is_overtaken = |other: &&UploadRow| {
            other.filename == row.filename && other.state == UploadState::Failed && folder.has_backup(&other.id)
        };
        let overtaken = rows.iter().find(is_overtaken).map(|other| other.id.as_str());
        let placement = Placement { id: row.id.clone(), filename: row.filename.clone(), replaces: row.replaces };
        folder.publish(&placement, overtaken)?;
    }
    let replacing: HashSet<&str> = queued.iter().filter(|row| row.replaces).map(|row| row.id.as_str()).collect();
    for file in folder.hidden_files()? {
        match file {
            HiddenFile::Incoming(id) => folder.delete_incoming(&id)?,
            HiddenFile::Backup(id) if !replacing.contains(id.as_str()) => folder.delete_backup(&id)?,
            HiddenFile::Backup(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
