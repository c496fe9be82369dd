//! Ends documents, inside the transaction that decides it: when all readers have committed one, when a reader rejects it, and when
//! it is taken back.

use anyhow::Result;
use tributary_config::{PRODUCTS, UPLOADS};
use tributary_store::{DocumentRow, DocumentState, Place, Store};

use super::changes::{Changes, placed, without_place};
use crate::{
    clock::now,
    count,
    input::{self, Verdict},
    readers::ReaderList,
    reports::Reports,
};

/// Why a document failed whose place another one took.
pub(crate) const SUPERSEDED: &str = "another upload has taken its place";

/// Ends each of these paths' next documents that has a verdict: it becomes the current one, or fails and leaves its path to the
/// current one. Call it in every transaction that may change a verdict.
///
/// # Errors
/// The database fails.
pub(crate) fn settle<T: AsRef<str>>(store: &mut Store, reports: &Reports, paths: &[T]) -> Result<Changes> {
    let mut changes = Changes::default();
    let readers = ReaderList::new(reports.configured());
    for next in store.standing_documents(paths)? {
        if next.place != Some(Place::Next) {
            continue;
        }
        let hash = next.hash.clone().unwrap_or_default();
        match input::verdict(store, readers.all(), (UPLOADS, &next.path), &hash)? {
            Verdict::Pending => {}
            Verdict::Committed { rows, rejects } => {
                if let Some(current) = store.document_at(&next.path, Place::Current)? {
                    changes.deletes(&current);
                    store.update_document(&without_place(current))?;
                }
                let (row_count, rejects) = (count::stored(rows), count::stored(rejects));
                let complete = DocumentRow { row_count, rejects, ..placed(next, Place::Current) };
                end(store, complete, DocumentState::Complete, None, &mut changes)?;
            }
            Verdict::Rejected(why) => {
                // The file goes, and with it the row that knows its header.
                let feed = store.file_of(PRODUCTS, UPLOADS, &next.path)?;
                let header = feed.and_then(|file| file.rejected_header);
                let failed = DocumentRow { header, ..next };
                fail(store, failed, DocumentState::Failed, why, &mut changes)?;
            }
        }
    }
    Ok(changes)
}

/// Ends a next document without success. Its path stands for the current one again.
///
/// # Errors
/// The database fails.
pub(crate) fn fail(
    store: &mut Store,
    next: DocumentRow,
    state: DocumentState,
    why: String,
    changes: &mut Changes,
) -> Result<()> {
    let path = next.path.clone();
    end(store, without_place(next), state, Some(why), changes)?;
    let current = store.document_at(&path, Place::Current)?;
    changes.moves(&path, current.as_ref());
    Ok(())
}

/// Takes back a complete document: its path stands for nothing, or for the next document that is waiting.
///
/// # Errors
/// The database fails.
pub(crate) fn take_back(store: &mut Store, current: DocumentRow, changes: &mut Changes) -> Result<()> {
    let path = current.path.clone();
    changes.deletes(&current);
    note_message(store, &current, DocumentState::Deleted)?;
    store.update_document(&DocumentRow { state: DocumentState::Deleted, ..without_place(current) })?;
    let next = store.document_at(&path, Place::Next)?;
    changes.moves(&path, next.as_ref());
    Ok(())
}

fn end(
    store: &mut Store,
    document: DocumentRow,
    state: DocumentState,
    error: Option<String>,
    changes: &mut Changes,
) -> Result<()> {
    let ended = DocumentRow { state, error, finished_at: Some(now()), ..document };
    store.update_document(&ended)?;
    note_message(store, &ended, state)?;
    changes.ends(ended);
    Ok(())
}

fn note_message(store: &mut Store, document: &DocumentRow, state: DocumentState) -> Result<()> {
    match &document.message {
        Some(message) => Ok(store.set_message_state(message, state)?),
        None => Ok(()),
    }
}
