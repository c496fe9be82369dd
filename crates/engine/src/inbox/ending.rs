//! Undoes what a sender wants undone: a document that is under way is cancelled, a complete one is taken back.

use std::time::Duration;

use anyhow::Result;
use tributary_config::UPLOADS;
use tributary_store::{DocumentRow, DocumentState, Place, Store};

use super::{
    arrival::{Arrived, note_message, repeated},
    error::InboxError,
    registry::Inbox,
};
use crate::{
    clock::now,
    database::events::{self, Event, RemovedDocuments},
    documents::{Changes, fail, path, take_back},
    input,
    message_id::check_message_id,
    readers::ReaderList,
};

/// Longest wait, after a document was taken back, until its rows are gone.
const MAX_REMOVAL_WAIT: Duration = Duration::from_secs(2);

/// A request to take documents back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removal {
    /// The sender's id of the message.
    pub message: Option<String>,
    /// Its number among the messages of its path. It does not count for a folder.
    pub sequence: Option<i64>,
    /// The sender; `None`: not known.
    pub by: Option<String>,
}

/// The result of taking back what a path stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// The path stands for nothing now.
    Done,
    /// It stood for nothing before.
    Nothing,
    /// The message is known, or a document of the path with the same or a greater sequence came before it: nothing has changed.
    Repeated(Arrived),
}

impl Inbox {
    /// Cancels a document that is under way, or takes back a complete one with its rows. `by` is who wants it, if that is known. Returns
    /// false if the id is unknown.
    ///
    /// If the document waits to be read, its path stands for the document before it again. Taking back a complete one does not bring
    /// that back, because it is gone.
    ///
    /// # Errors
    /// The database fails.
    pub async fn cancel(&self, id: &str, by: Option<String>) -> Result<bool> {
        let receiving = self.receiving().get(id).cloned();
        let was_receiving = receiving.is_some();
        if let Some(receiving) = receiving {
            receiving.cancel.cancel();
            self.end_unfinished(&receiving, &InboxError::Cancelled).await?;
            tokio::select! {
                () = receiving.over.cancelled() => {}
                () = self.0.stop.cancelled() => {}
            }
        }
        let (wanted, documents, remover) = (id.to_owned(), self.0.documents.clone(), by.clone());
        let write = move |store: &mut Store| {
            let (row, changes) = store.transaction(|store| end(store, &wanted, was_receiving, remover))?;
            Ok((row, documents.committed(changes)))
        };
        let (row, committed) = self.0.writer.run_first(write).await?;
        self.0.documents.announce(committed).await;
        if let Some(DocumentRow { path, place: Some(place), .. }) = &row {
            log(path, by.as_deref());
            if *place == Place::Current {
                self.rows_gone(vec![path.clone()]).await;
            }
        }
        Ok(row.is_some() || was_receiving)
    }

    /// Makes a path stand for nothing: cancels the document that waits, and takes back the one that is accepted.
    ///
    /// # Errors
    /// The database fails.
    pub async fn remove(&self, path: &str, removal: Removal) -> Result<Removed, InboxError> {
        let wanted = path.to_owned();
        let (removed, by) = (removal.clone(), removal.by);
        let remove = move |store: &mut Store, changes: &mut Changes| {
            let removed = remove(store, &wanted, &removed, changes)?;
            Ok((removed, vec![wanted]))
        };
        self.remove_all(path, by, remove).await
    }

    /// Makes all paths below a folder stand for nothing, in one transaction. `folder` ends in `/`.
    ///
    /// # Errors
    /// The folder is not allowed; the database fails.
    pub async fn remove_below(&self, folder: &str, removal: Removal) -> Result<Removed, InboxError> {
        path::check_folder(folder).map_err(InboxError::Invalid)?;
        if let Some(message) = &removal.message {
            check_message_id(message)?;
        }
        let (wanted, by) = (folder.to_owned(), removal.by.clone());
        self.remove_all(folder, by, move |store, changes| remove_below(store, &wanted, &removal, changes)).await
    }

    /// Runs `remove`, which returns the result and the removed paths, in a transaction, and waits until their rows are gone.
    async fn remove_all(
        &self,
        path: &str,
        by: Option<String>,
        remove: impl FnOnce(&mut Store, &mut Changes) -> Result<(Removed, Vec<String>)> + Send + 'static,
    ) -> Result<Removed, InboxError> {
        let documents = self.0.documents.clone();
        let write = move |store: &mut Store| {
            let mut changes = Changes::default();
            let removed = store.transaction(|store| remove(store, &mut changes))?;
            Ok((removed, documents.committed(changes)))
        };
        let ((removed, paths), committed) = self.0.writer.run_first(write).await?;
        self.0.documents.announce(committed).await;
        if removed == Removed::Done {
            log(path, by.as_deref());
            self.rows_gone(paths).await;
        }
        Ok(removed)
    }

    /// Waits until no rows of these paths are left, so that they are gone when the client gets its answer. Not for long: the writer may
    /// be busy.
    async fn rows_gone(&self, mut paths: Vec<String>) {
        let gone = async {
            let mut done = self.0.writer.done();
            loop {
                done.borrow_and_update();
                // A path that stands for another document by now keeps rows.
                paths.retain(|path| !self.0.documents.has(path));
                let reports = self.0.documents.reports();
                let still_known = move |store: &mut Store| {
                    let readers = ReaderList::new(reports.configured());
                    let mut known = Vec::new();
                    for path in paths {
                        if input::is_known(store, readers.all(), (UPLOADS, &path))? {
                            known.push(path);
                        }
                    }
                    Ok(known)
                };
                paths = self.0.readers.run(still_known).await?;
                if paths.is_empty() {
                    return anyhow::Ok(());
                }
                done.changed().await?;
            }
        };
        tokio::select! {
            _ = tokio::time::timeout(MAX_REMOVAL_WAIT, gone) => {}
            () = self.0.stop.cancelled() => {}
        }
    }
}

/// Says who took back what a path stood for.
fn log(path: &str, by: Option<&str>) {
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    tracing::info!(%path, "the upload `{path}` was taken back{by}");
}

/// Ends one document. Returns it as it was.
fn end(store: &mut Store, id: &str, was_receiving: bool, by: Option<String>) -> Result<(Option<DocumentRow>, Changes)> {
    let mut changes = Changes::default();
    let Some(row) = store.document(id)?.filter(|row| row.state != DocumentState::Deleted) else {
        return Ok((None, changes));
    };
    match row.place {
        Some(Place::Next) => {
            fail(store, row.clone(), DocumentState::Failed, InboxError::Cancelled.to_string(), &mut changes)?;
        }
        Some(Place::Current) => take_back(store, row.clone(), &mut changes)?,
        // It was cancelled just now, which its sender may still ask about.
        None if was_receiving => {}
        // Its row must outlive its file, which may not be deleted yet.
        None => forget(store, row.clone())?,
    }
    if row.place.is_some() {
        note(store, &row.path, 1, by)?;
    }
    Ok((Some(row), changes))
}

/// Stores who took documents back: their rows go with them.
fn note(store: &mut Store, path: &str, documents: usize, by: Option<String>) -> Result<()> {
    let removed = RemovedDocuments { path: path.to_owned(), documents: documents as u64, by };
    events::put(store, &Event::Removed(removed))
}

fn forget(store: &mut Store, row: DocumentRow) -> Result<()> {
    let finished_at = row.finished_at.or_else(|| Some(now()));
    Ok(store.update_document(&DocumentRow { state: DocumentState::Deleted, finished_at, ..row })?)
}

fn remove(store: &mut Store, path: &str, removal: &Removal, changes: &mut Changes) -> Result<Removed> {
    let (message, sequence) = (removal.message.as_deref(), removal.sequence);
    if let Some(repeated) = repeated(store, message, (path, sequence))? {
        return Ok(Removed::Repeated(repeated));
    }
    note_message(store, message, (path, sequence), None, DocumentState::Deleted)?;
    if !clear(store, path, changes)? {
        return Ok(Removed::Nothing);
    }
    note(store, path, 1, removal.by.clone())?;
    Ok(Removed::Done)
}

fn remove_below(
    store: &mut Store,
    folder: &str,
    removal: &Removal,
    changes: &mut Changes,
) -> Result<(Removed, Vec<String>)> {
    let message = removal.message.as_deref();
    if let Some(repeated) = repeated(store, message, (folder, None))? {
        return Ok((Removed::Repeated(repeated), Vec::new()));
    }
    note_message(store, message, (folder, None), None, DocumentState::Deleted)?;
    let paths = store.standing_paths_below(folder)?;
    for path in &paths {
        clear(store, path, changes)?;
    }
    if paths.is_empty() {
        return Ok((Removed::Nothing, paths));
    }
    note(store, folder, paths.len(), removal.by.clone())?;
    Ok((Removed::Done, paths))
}

/// Makes a path stand for nothing. Returns false if it already does.
fn clear(store: &mut Store, path: &str, changes: &mut Changes) -> Result<bool> {
    let (next, current) = (store.document_at(path, Place::Next)?, store.document_at(path, Place::Current)?);
    let is_there = next.is_some() || current.is_some();
    if let Some(next) = next {
        fail(store, next, DocumentState::Failed, InboxError::Cancelled.to_string(), changes)?;
    }
    if let Some(current) = current {
        take_back(store, current, changes)?;
    }
    Ok(is_there)
}
