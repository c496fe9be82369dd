//! A received document, and the decision about it: stored, known already, or superseded.

use anyhow::Result;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tributary_store::{DocumentRow, DocumentState, MessageRow, Place, Store};

use super::{error::InboxError, view::Stage};
use crate::{
    clock::now,
    documents::{Changes, SUPERSEDED, fail},
};

/// A received document that waits to be stored.
pub(super) struct Arrival {
    /// As it will be stored, if nothing speaks against it.
    pub(super) row: DocumentRow,
    /// Its body, if that is not on disk yet.
    pub(super) small: Option<Vec<u8>>,
    /// Whether its row is stored as one that is being received.
    pub(super) is_stored: bool,
    pub(super) may_replace: bool,
    pub(super) cancel: CancellationToken,
    pub(super) answer: oneshot::Sender<Result<Arrived, InboxError>>,
}

/// The result of a document's arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrived {
    /// It is stored and will be read. Its id.
    Stored(String),
    /// Its message is known, so nothing has changed. The id of the document that the message brought, unless it took one back, and
    /// the document's last known stage.
    Known(Option<String>, Stage),
    /// A document of its path with the same or a greater sequence came before it.
    Superseded,
}

/// Decides about one document, and stores it. Call it in a transaction.
///
/// # Errors
/// The database fails. A refusal is a result.
pub(super) fn take(store: &mut Store, arrival: &Arrival, changes: &mut Changes) -> Result<Result<Arrived, InboxError>> {
    let row = &arrival.row;
    if arrival.cancel.is_cancelled() {
        return Ok(Err(InboxError::Cancelled));
    }
    if let Some(arrived) = repeated(store, row.message.as_deref(), (&row.path, row.sequence))? {
        return Ok(Ok(arrived));
    }
    let next = store.document_at(&row.path, Place::Next)?;
    if !arrival.may_replace && (next.is_some() || store.document_at(&row.path, Place::Current)?.is_some()) {
        return Ok(Err(InboxError::Taken { path: row.path.clone() }));
    }
    if let Some(next) = next {
        fail(store, next, DocumentState::Superseded, SUPERSEDED.to_owned(), changes)?;
    }
    if arrival.is_stored {
        store.update_document(row)?;
    } else {
        store.insert_document(row)?;
    }
    note_message(store, row.message.as_deref(), (&row.path, row.sequence), Some(&row.id), DocumentState::Queued)?;
    changes.moves(&row.path, Some(row));
    Ok(Ok(Arrived::Stored(row.id.clone())))
}

/// Whether a message is known, or its sequence not greater than an earlier one of its path; the latter is noted.
///
/// # Errors
/// The database fails.
pub(super) fn repeated(
    store: &mut Store,
    message: Option<&str>,
    (path, sequence): (&str, Option<i64>),
) -> Result<Option<Arrived>> {
    if let Some(known) = message.map(|id| store.message(id)).transpose()?.flatten() {
        let state = DocumentState::try_from(known.state).map_err(anyhow::Error::msg)?;
        return Ok(Some(Arrived::Known(known.document, super::view::stage(state))));
    }
    if sequence.is_some() && store.greatest_sequence(path)? >= sequence {
        note_message(store, message, (path, sequence), None, DocumentState::Superseded)?;
        return Ok(Some(Arrived::Superseded));
    }
    Ok(None)
}

/// Remembers a message, if there is anything to remember.
///
/// # Errors
/// The database fails.
pub(super) fn note_message(
    store: &mut Store,
    message: Option<&str>,
    (path, sequence): (&str, Option<i64>),
    document: Option<&str>,
    state: DocumentState,
) -> Result<()> {
    if message.is_none() && sequence.is_none() {
        return Ok(());
    }
    Ok(store.insert_message(&MessageRow {
        id: message.map(str::to_owned),
        path: path.to_owned(),
        sequence,
        document: document.map(str::to_owned),
        state: state.as_str().to_owned(),
        received_at: now(),
    })?)
}
