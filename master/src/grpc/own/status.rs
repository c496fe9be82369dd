//! The status of each error. Its text says what to do, as in the HTTP API.

use tonic::Status;
use tributary_engine::{
    Busy, CannotUndo, EditError, Engine, InboxError, ListError, OnlyReads, TextError, Unwritten, is_away,
};

/// Refuses what only the active master does, and names that one.
pub(super) fn only_active(engine: &Engine) -> Result<(), Status> {
    if engine.is_active() {
        return Ok(());
    }
    let active = engine.active_master().and_then(|active| active.public_url);
    let active = active.map(|url| format!("; it is at {url}")).unwrap_or_default();
    Err(Status::unavailable(format!("{OnlyReads}{active}")))
}

/// Refuses every call while a master that only reads waits for the database.
pub(super) fn readable(engine: &Engine) -> Result<(), Status> {
    let waits = |why| Status::unavailable(format!("the master waits for the database, {why}"));
    engine.unreadable().map_or(Ok(()), |why| Err(waits(why)))
}

/// The status of a failure that is not the client's.
pub(super) fn failed(error: anyhow::Error) -> Status {
    if error.is::<Busy>() {
        return Status::resource_exhausted("too many clients wait for an answer, or take one; try again later");
    }
    if error.is::<OnlyReads>() {
        return Status::unavailable(error.to_string());
    }
    if !error.is::<Unwritten>() && is_away(&error) {
        tracing::warn!("a call of gRPC found no database: {error:#}");
        return Status::unavailable("the master waits for the database, which cannot be read; try again in a moment");
    }
    tracing::error!("a call of gRPC failed: {error:#}");
    match error.downcast_ref::<Unwritten>() {
        Some(unwritten) => Status::unavailable(unwritten.to_string()),
        None => Status::internal("the master failed; its log says why"),
    }
}

pub(super) fn text(error: TextError) -> Status {
    Status::invalid_argument(error.to_string())
}

pub(super) fn list(error: ListError) -> Status {
    match error {
        ListError::Failed(error) => failed(error),
        ListError::NoPlace => {
            Status::invalid_argument("`page_token` must be `next_page_token` of a page in the same order")
        }
        wrong => Status::invalid_argument(wrong.to_string()),
    }
}

pub(super) fn edit(error: EditError) -> Status {
    match error {
        EditError::Failed(error) => failed(error),
        EditError::Stale(_) => Status::failed_precondition(error.to_string()),
        EditError::CannotUndo(CannotUndo::Unknown(_)) => Status::not_found(error.to_string()),
        EditError::CannotUndo(_) => Status::failed_precondition(error.to_string()),
        EditError::Stopping => Status::unavailable(error.to_string()),
        wrong => Status::invalid_argument(wrong.to_string()),
    }
}

pub(super) fn upload(error: InboxError) -> Status {
    let text = error.to_string();
    match error {
        InboxError::Failed(error) => failed(error),
        InboxError::Taken { .. } | InboxError::KnownId { .. } => Status::already_exists(text),
        InboxError::TooLarge { .. } => Status::out_of_range(text),
        InboxError::NoRoom { .. } | InboxError::TooMany { .. } | InboxError::TooManyUnfinished { .. } => {
            Status::resource_exhausted(text)
        }
        InboxError::Displaced | InboxError::Yielded | InboxError::Stopping => Status::unavailable(text),
        InboxError::Stalled(_) | InboxError::Expired => Status::deadline_exceeded(text),
        InboxError::Cut(_) => Status::data_loss(text),
        InboxError::Cancelled | InboxError::Over { .. } | InboxError::TakenOver => Status::aborted(text),
        InboxError::Unknown { .. } => Status::not_found(text),
        _ => Status::invalid_argument(text),
    }
}
