//! Receives a document: checks the request, receives the body, and has it stored.

use std::{
    fmt::Display,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use bytes::Bytes;
use futures_util::{
    Stream,
    future::{MaybeDone, maybe_done},
};
use tokio::{sync::OwnedSemaphorePermit, task::JoinHandle};
use tributary_store::{DocumentRow, DocumentState, Place, Store};

use super::{
    arrival::{Arrival, Arrived},
    body::{self, BodyLimits, Until},
    error::InboxError,
    receiving::{Content, Receiving},
    registry::{Inbox, MAX_UPLOADS, MAX_WAITING_SMALL},
};
use crate::{
    clock::now,
    count,
    database::Unwritten,
    documents::{Arriving, DocumentFolder, path},
    message_id::check_message_id,
};

/// Longest wait, before the body is read, until the database has stored the upload.
const MAX_STORE_WAIT: Duration = Duration::from_millis(500);

/// Interval in which it is tried to store the failure of an upload.
const STORE_INTERVAL: Duration = Duration::from_secs(2);

/// Longest wait until the place of a slow sender is free.
const MAX_YIELD: Duration = Duration::from_secs(2);
/// Interval in which a small body that waits for a place lets another go.
const YIELD_INTERVAL: Duration = Duration::from_millis(200);

/// A document that a client wants to send.
#[derive(Debug, Default)]
pub struct Offer {
    /// Its path.
    pub path: String,
    /// Chosen by a client that wants to follow the upload from its first byte.
    pub id: Option<String>,
    /// True if it may replace a document.
    pub may_replace: bool,
    /// Length of the body in bytes, if it is known.
    pub size: Option<u64>,
    /// Lower bound of that length.
    pub at_least: u64,
    /// The sender's id of the message: a message that is known changes nothing.
    pub message: Option<String>,
    /// Its number among the documents of its path: the greatest wins. Without one the order of arrival counts.
    pub sequence: Option<i64>,
    /// The sender; `None`: not known.
    pub sent_by: Option<String>,
    /// True if the sender may ask about it while it is received, and learns after a crash that it failed.
    pub is_listed: bool,
}

/// A document that was admitted and whose body may come.
pub struct Admitted {
    inbox: Inbox,
    receiving: Arc<Receiving>,
    offer: Offer,
    _permit: OwnedSemaphorePermit,
    /// Set if it is small: others wait a moment for it.
    _arriving: Option<Arriving>,
    /// The write of its row, which only the end of the body waits for; none if it is not listed.
    stored: Option<MaybeDone<JoinHandle<Result<()>>>>,
}

impl Inbox {
    /// Admits or refuses a document before its body is read.
    ///
    /// # Errors
    /// The document is refused.
    pub async fn admit(&self, offer: Offer) -> Result<Admitted, InboxError> {
        let id = self.check(&offer).await?;
        let receiving = Receiving::new(id, offer.path.clone(), offer.size, offer.is_listed);
        let receiving = Arc::new(receiving.sent_by(offer.sent_by.clone()));
        let permit = self.permit(&receiving).await?;
        self.register(&receiving, &offer).await?;
        let mut stored = offer.is_listed.then(|| {
            let (writer, row) = (self.0.writer.clone(), row(&receiving, &offer, DocumentState::Receiving, None));
            let insert = move |store: &mut Store| store.transaction(|store| Ok(store.insert_document(&row)?));
            let store = async move { writer.run_first(insert).await };
            maybe_done(tokio::spawn(store))
        });
        if let Some(stored) = &mut stored {
            // A stored row lets the next start report this upload as failed after a crash. A busy writer must not hold up the body.
            let _ = tokio::time::timeout(MAX_STORE_WAIT, stored).await;
        }
        let arriving = receiving.is_small().then(|| self.0.documents.arriving());
        Ok(Admitted { inbox: self.clone(), receiving, offer, _permit: permit, _arriving: arriving, stored })
    }

    /// Checks what can be known before the body comes, and returns the document's id.
    pub(super) async fn check(&self, offer: &Offer) -> Result<String, InboxError> {
        self.0.writer.check_present().map_err(anyhow::Error::new)?;
        path::check(&offer.path, &self.0.source.formats()).map_err(InboxError::Invalid)?;
        let id = offer.id.as_deref().map_or_else(|| Ok(path::new_id()), path::id).map_err(InboxError::Invalid)?;
        if let Some(message) = &offer.message {
            check_message_id(message)?;
        }
        let BodyLimits { max_size, keep_free, .. } = self.0.limits;
        if offer.at_least > max_size {
            return Err(InboxError::TooLarge { limit: max_size });
        }
        if self.in_folder(DocumentFolder::free_bytes).await? < keep_free.saturating_add(offer.at_least) {
            return Err(InboxError::NoRoom { keep_free });
        }
        Ok(id)
    }

    /// Large bodies are refused if too many come at once; small ones wait, because others are soon done or let go.
    async fn permit(&self, receiving: &Receiving) -> Result<OwnedSemaphorePermit, InboxError> {
        if !receiving.is_small() {
            return self.large_permit().await;
        }
        if let Ok(permit) = Arc::clone(&self.0.small_permits).try_acquire_owned() {
            return Ok(permit);
        }
        let waits = self.0.small_waiting.try_acquire();
        let _place = waits.map_err(|_| InboxError::TooMany { limit: MAX_WAITING_SMALL })?;
        let mut permit = pin!(Arc::clone(&self.0.small_permits).acquire_owned());
        loop {
            if let Some(slowest) = self.slowest(true) {
                slowest.let_go();
            }
            if let Ok(permit) = tokio::time::timeout(YIELD_INTERVAL, &mut permit).await {
                return Ok(permit.context("the inbox is closed")?);
            }
        }
    }

    /// The body that comes most slowly, if that is slow, of the small or of the others.
    fn slowest(&self, is_small: bool) -> Option<Arc<Receiving>> {
        let all = self.receiving();
        let alike = all.values().filter(|one| one.is_small() == is_small);
        let slow = alike.filter_map(|one| Some((one.slow_speed()?, one)));
        slow.min_by_key(|(speed, _)| *speed).map(|(_, one)| Arc::clone(one))
    }

    /// If all places are taken, the slowest sender loses its own, if it is slow.
    pub(super) async fn large_permit(&self) -> Result<OwnedSemaphorePermit, InboxError> {
        let too_many = || InboxError::TooMany { limit: MAX_UPLOADS };
        if let Ok(permit) = Arc::clone(&self.0.permits).try_acquire_owned() {
            return Ok(permit);
        }
        self.slowest(false).ok_or_else(too_many)?.let_go();
        let permit = Arc::clone(&self.0.permits).acquire_owned();
        let permit = tokio::time::timeout(MAX_YIELD, permit).await.map_err(|_| too_many())?;
        Ok(permit.context("the inbox is closed")?)
    }

    /// Registers a document unless its id or its path is taken.
    pub(super) async fn register(&self, new: &Arc<Receiving>, offer: &Offer) -> Result<(), InboxError> {
        let inserted = self.insert(new, offer.may_replace);
        if offer.id.is_some() {
            // Only now: a document that is not registered any more has a row. A client that repeats itself must hear of its own id.
            let checked = self.check_id(&new.id).await;
            if checked.is_err() && inserted.is_ok() {
                self.unregister(new);
            }
            checked?;
        }
        inserted
    }

    fn insert(&self, new: &Arc<Receiving>, may_replace: bool) -> Result<(), InboxError> {
        let mut all = self.receiving();
        if all.contains_key(&new.id) {
            return Err(InboxError::KnownId { id: new.id.clone() });
        }
        let takes = |other: &Arc<Receiving>| other.path == new.path && other.is_coming();
        let is_taken = || self.0.documents.has(&new.path) || all.values().any(takes);
        if !may_replace && is_taken() {
            return Err(InboxError::Taken { path: new.path.clone() });
        }
        all.insert(new.id.clone(), Arc::clone(new));
        Ok(())
    }

    /// Refuses an id that a document has or had: its row and its file must not be touched.
    async fn check_id(&self, id: &str) -> Result<(), InboxError> {
        if self.is_known(id).await? { Err(InboxError::KnownId { id: id.to_owned() }) } else { Ok(()) }
    }

    pub(super) fn unregister(&self, receiving: &Receiving) {
        self.receiving().remove(&receiving.id);
        receiving.over.cancel();
    }

    /// Deletes what was received of a document, and stores its failure if its row is stored.
    pub(super) async fn give_up(&self, row: DocumentRow, is_stored: bool, why: &InboxError) {
        let (id, path) = (row.id.clone(), row.path.clone());
        if let Err(error) = self.in_folder(move |folder| folder.delete_part(&id)).await {
            tracing::warn!(file.path = %path, "failed to delete the received part of `{path}`: {error:#}");
        }
        if let InboxError::Failed(error) = why {
            tracing::error!(file.path = %path, "failed to store the upload of `{path}`: {error:#}");
        } else {
            tracing::warn!(file.path = %path, reason = %why, "the upload of `{path}` failed: {why}");
        }
        // The next start stores the failure of an upload that a stop has interrupted.
        if matches!(why, InboxError::Stopping) || !is_stored {
            return;
        }
        let (error, finished_at) = (Some(why.to_string()), Some(now()));
        let row =
            DocumentRow { state: DocumentState::Failed, place: None, error, finished_at, expires_at: None, ..row };
        if let Err(error) = self.update(row.clone()).await {
            tracing::error!(file.path = %path, "failed to store the failure of the upload of `{path}`, trying again: {error:#}");
            tokio::spawn(self.clone().update_at_last(row));
        }
    }

    /// Changes the row of a document once the database can be written again. Until then it looks as if it still came; the next start finds it
    /// out, too.
    async fn update_at_last(self, row: DocumentRow) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(STORE_INTERVAL) => {}
                () = self.0.stop.cancelled() => return,
            }
            match self.update(row.clone()).await {
                Ok(()) => return,
                Err(error) if error.is::<Unwritten>() => {}
                Err(error) => {
                    let path = &row.path;
                    return tracing::error!(file.path = %path, "failed to store the failure of the upload of `{path}`: {error:#}");
                }
            }
        }
    }

    /// Changes the row of a document.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn update(&self, row: DocumentRow) -> Result<()> {
        let update = move |store: &mut Store| store.transaction(|store| Ok(store.update_document(&row)?));
        self.0.writer.run_first(update).await
    }

    /// Runs `work` on the folder, off the async workers.
    ///
    /// # Errors
    /// The disk fails or is full.
    pub(super) async fn in_folder<T: Send + 'static>(
        &self,
        work: impl FnOnce(&DocumentFolder) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, InboxError> {
        let (folder, keep_free) = (self.0.documents.folder().clone(), self.0.limits.keep_free);
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        let done = done.context("a step in the folder of uploads has panicked")?;
        done.map_err(|error| InboxError::writing(error, keep_free))
    }
}

impl Admitted {
    /// The document's id.
    pub fn id(&self) -> &str {
        &self.receiving.id
    }

    /// Receives the body. Once this succeeds the document is stored, and survives a crash of the master.
    ///
    /// # Errors
    /// The document is refused or was not received, and what was received of it is deleted.
    pub async fn receive<E: Display>(
        mut self,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Arrived, InboxError> {
        let shared = Arc::clone(&self.inbox.0);
        let until = Until { stopped: shared.stop.clone(), ..Until::default() };
        let received = body::receive(&self.receiving, shared.documents.folder(), body, &shared.limits, &until).await;
        let stored = self.row_is_stored().await;
        let is_stored = self.offer.is_listed && stored.is_ok();
        let arrived = match stored {
            Ok(()) => match received {
                Ok(content) => self.store(content).await,
                Err(error) => Err(error),
            },
            Err(error) => Err(error.into()),
        };
        if let Err(error) = &arrived {
            let row = row(&self.receiving, &self.offer, DocumentState::Receiving, None);
            self.inbox.give_up(row, is_stored, error).await;
        }
        self.inbox.unregister(&self.receiving);
        arrived
    }

    /// Waits for the write of its row: no later write of it may come before the first.
    async fn row_is_stored(&mut self) -> Result<()> {
        let Some(stored) = &mut self.stored else { return Ok(()) };
        (&mut *stored).await;
        let written = Pin::new(stored).take_output().context("the write of an upload's row has no result")?;
        written.context("the write of an upload's row has panicked")?
    }

    async fn store(&self, content: Content) -> Result<Arrived, InboxError> {
        let row = row(&self.receiving, &self.offer, DocumentState::Queued, Some(&content));
        let (is_stored, may_replace) = (self.offer.is_listed, self.offer.may_replace);
        let (small, cancel) = (content.small, self.receiving.cancel.clone());
        self.inbox.commit(|answer| Arrival { row, small, is_stored, may_replace, cancel, answer }).await
    }
}

/// The row of a document in this state.
fn row(receiving: &Receiving, offer: &Offer, state: DocumentState, content: Option<&Content>) -> DocumentRow {
    DocumentRow {
        state,
        place: content.map(|_| Place::Next),
        bytes: count::stored(receiving.bytes()),
        hash: content.map(|content| content.hash.clone()),
        message: offer.message.clone(),
        sequence: offer.sequence,
        may_replace: offer.may_replace,
        sent_by: offer.sent_by.clone(),
        ..DocumentRow::new(&receiving.id, &receiving.path, &receiving.created_at)
    }
}
