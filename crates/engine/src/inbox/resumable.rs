//! Uploads whose body comes in parts: each request appends to what is on disk. They survive broken connections and restarts, and are
//! given up when nothing has come for long.

use std::{
    cmp::Reverse,
    convert::Infallible,
    fmt::Display,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::Result;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::Stream;
use tributary_store::{DocumentRow, DocumentState, Place, Store};

use super::{
    arrival::{Arrival, Arrived},
    body::{Until, append},
    error::InboxError,
    receiving::{EXPIRES_AFTER, Part, Receiving},
    reception::Offer,
    registry::Inbox,
};
use crate::{clock, count, documents::DocumentFolder, supervise::Task};

/// Unfinished uploads at a time.
const MAX_UNFINISHED: usize = 1_000;
/// Time without a new part after which an upload may lose its place to another, if all are taken.
const MIN_IDLE: Duration = Duration::from_secs(10);
/// Interval in which it is stored how much of a part is on disk.
const NOTE_INTERVAL: Duration = Duration::from_secs(1);
/// Interval in which such uploads are looked for.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(60);

/// An upload whose body comes in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// 32 hex digits.
    pub id: String,
    /// Bytes that are on disk.
    pub offset: u64,
    /// Bytes in all.
    pub length: u64,
    /// Time at which it is given up if nothing more comes.
    pub expires_at: DateTime<Utc>,
}

impl Inbox {
    /// Announces an upload of known length whose body comes in parts.
    ///
    /// # Errors
    /// The upload is refused; the database or the disk fails.
    pub async fn create(&self, offer: Offer) -> Result<Unfinished, InboxError> {
        let id = self.check(&offer).await?;
        let length = offer.size.ok_or_else(|| InboxError::Invalid("its length must be known".to_owned()))?;
        let expires_at = Utc::now() + EXPIRES_AFTER;
        let row = DocumentRow {
            length: Some(count::stored(length)),
            may_replace: offer.may_replace,
            sent_by: offer.sent_by.clone(),
            expires_at: Some(clock::text(expires_at)),
            ..DocumentRow::new(&id, &offer.path, &clock::now())
        };
        let receiving = Arc::new(Receiving::resumable(&row));
        self.make_room(MAX_UNFINISHED).await?;
        // Who has lost the answer and asks for the upload waits for the end of this.
        let _creating = match &receiving.resumable {
            Some(resumable) => Some(resumable.part.lock().await),
            None => None,
        };
        self.register(&receiving, &offer).await?;
        let stored = self.create_part(row).await;
        if stored.is_err() {
            self.unregister(&receiving);
            let part = id.clone();
            let _ = self.in_folder(move |folder| folder.delete_part(&part)).await;
        }
        let row = stored?;
        if length == 0 {
            // Nothing more will come.
            let hash = Some(Part::default().content().hash);
            let (state, place) = (DocumentState::Queued, Some(Place::Next));
            self.store_whole(&receiving, DocumentRow { state, place, hash, expires_at: None, ..row }).await?;
        }
        Ok(Unfinished { id, offset: 0, length, expires_at })
    }

    /// Makes room for one more of so many. If there is none, the idle upload of which the least has come loses its place.
    pub(super) async fn make_room(&self, limit: usize) -> Result<(), InboxError> {
        let least = {
            let all = self.receiving();
            let unfinished = || all.values().filter_map(|one| Some((one.resumable.as_ref()?.idle_for(), one)));
            if unfinished().count() < limit {
                return Ok(());
            }
            let idle = unfinished().filter(|(idle, one)| *idle >= MIN_IDLE && !one.is_coming());
            idle.min_by_key(|(idle, one)| (one.bytes(), Reverse(*idle))).map(|(_, one)| Arc::clone(one))
        };
        let least = least.ok_or(InboxError::TooManyUnfinished { limit })?;
        Ok(self.end_unfinished(&least, &InboxError::Displaced).await?)
    }

    async fn create_part(&self, row: DocumentRow) -> Result<DocumentRow, InboxError> {
        let id = row.id.clone();
        let create = move |folder: &DocumentFolder| {
            folder.create()?;
            folder.create_part(&id)?;
            folder.sync()
        };
        self.in_folder(create).await?;
        let insert =
            move |store: &mut Store| store.transaction(|store| Ok(store.insert_document(&row).map(|()| row)?));
        Ok(self.0.writer.run_first(insert).await?)
    }

    /// An upload whose body comes in parts; none if it has ended or is unknown. Ends the request that appends to it, if there is one:
    /// whoever asks wants to go on.
    ///
    /// # Errors
    /// The database fails.
    pub async fn unfinished(&self, id: &str) -> Result<Option<Unfinished>> {
        let Some(receiving) = self.resumable(id) else { return Ok(None) };
        if let Some(resumable) = &receiving.resumable {
            let _ = resumable.interrupt();
            let _part = resumable.part.lock().await;
        }
        let Some(row) = self.row(id).await?.filter(|row| row.state == DocumentState::Receiving) else {
            return Ok(None);
        };
        let expires_at = row.expires_at.as_deref().and_then(|time| DateTime::parse_from_rfc3339(time).ok());
        Ok(Some(Unfinished {
            id: row.id,
            offset: receiving.bytes(),
            length: receiving.total.unwrap_or_default(),
            expires_at: expires_at.unwrap_or_default().to_utc(),
        }))
    }

    /// Appends a part to an upload, after its first `offset` bytes. Once the last one is there the document is stored. Returns the
    /// upload as it is then.
    ///
    /// # Errors
    /// The upload is unknown or has another offset; the part ended early, and what has come of it is kept; the document is refused.
    pub async fn append<E: Display>(
        &self,
        id: &str,
        offset: u64,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Unfinished, InboxError> {
        let unknown = || InboxError::Unknown { id: id.to_owned() };
        let receiving = self.resumable(id).ok_or_else(unknown)?;
        let Some(resumable) = &receiving.resumable else { return Err(unknown()) };
        let until = Until { interrupted: resumable.interrupt(), stopped: self.0.stop.clone() };
        let mut part = resumable.part.lock().await;
        if receiving.over.is_cancelled() {
            return Err(unknown());
        }
        if receiving.bytes() != offset {
            return Err(InboxError::WrongOffset { offset: receiving.bytes() });
        }
        let _permit = self.large_permit().await?;
        let known = self.part(&mut part, id, offset).await?;
        let appended = self.append_and_note(&receiving, known, body, &until).await;
        let (now, ended) = match appended {
            Ok(appended) => appended,
            Err(error) => {
                // What lies behind the old part is cut off by the next one.
                receiving.set(offset);
                return Err(error);
            }
        };
        receiving.set(now.bytes);
        resumable.expire_after(EXPIRES_AFTER);
        let (content, length) = (now.content(), receiving.total.unwrap_or_default());
        *part = Some(now);
        let unfinished =
            Unfinished { id: id.to_owned(), offset: content.bytes, length, expires_at: Utc::now() + EXPIRES_AFTER };
        let row = self.row(id).await?.filter(|row| row.state == DocumentState::Receiving).ok_or_else(unknown)?;
        let row = DocumentRow {
            bytes: count::stored(content.bytes),
            expires_at: Some(clock::text(unfinished.expires_at)),
            ..row
        };
        if content.bytes < length {
            self.update(row).await?;
            return ended.map(|()| unfinished);
        }
        let hash = Some(content.hash);
        let row = DocumentRow { state: DocumentState::Queued, place: Some(Place::Next), hash, expires_at: None, ..row };
        let arrived = self.store_whole(&receiving, row).await;
        drop(part);
        arrived.map(|_| unfinished)
    }

    /// Appends a part, and now and then stores how much of it is on disk for sure, for a restart in between.
    async fn append_and_note<E: Display>(
        &self,
        receiving: &Receiving,
        part: Part,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
        until: &Until,
    ) -> Result<(Part, Result<(), InboxError>), InboxError> {
        let begin = part.bytes;
        receiving.on_disk.store(begin, Ordering::Relaxed);
        let appended = pin!(append(receiving, self.0.documents.folder(), part, body, &self.0.limits, until));
        // Both at once: a busy database must not hold up the body.
        tokio::select! {
            appended = appended => appended,
            noted = self.note(receiving, begin) => noted.map(|never| match never {}),
        }
    }

    /// Stores now and then how much of an upload is on disk, `noted` bytes already. Ends only if the database fails.
    async fn note(&self, receiving: &Receiving, mut noted: u64) -> Result<Infallible, InboxError> {
        // The last byte counts only together with all that follows it: no client would ask for the rest after a crash.
        let most = receiving.total.unwrap_or_default().saturating_sub(1);
        loop {
            tokio::time::sleep(NOTE_INTERVAL).await;
            let on_disk = receiving.on_disk.load(Ordering::Relaxed).min(most);
            if on_disk != noted
                && let Some(row) = self.row(&receiving.id).await?.filter(|row| row.state == DocumentState::Receiving)
            {
                let row = DocumentRow { bytes: count::stored(on_disk), ..row };
                self.update(row).await?;
                noted = on_disk;
            }
        }
    }

    /// The part that is on disk, read again if nobody knows it.
    async fn part(&self, known: &mut Option<Part>, id: &str, offset: u64) -> Result<Part, InboxError> {
        if let Some(part) = known.take().filter(|part| part.bytes == offset) {
            return Ok(part);
        }
        let id = id.to_owned();
        self.in_folder(move |folder| Part::of_file(folder, &id, offset)).await
    }

    /// Stores an upload of which all is on disk.
    async fn store_whole(&self, receiving: &Receiving, row: DocumentRow) -> Result<Arrived, InboxError> {
        let (may_replace, cancel) = (row.may_replace, receiving.cancel.clone());
        let stored = row.clone();
        let arrived = self
            .commit(|answer| Arrival { row: stored, small: None, is_stored: true, may_replace, cancel, answer })
            .await;
        if let Err(error) = &arrived {
            self.give_up(row, true, error).await;
        }
        self.unregister(receiving);
        arrived
    }

    /// Fails an upload that is not received in full, and deletes what has come of it.
    pub(super) async fn end_unfinished(&self, receiving: &Receiving, why: &InboxError) -> Result<()> {
        let Some(resumable) = &receiving.resumable else { return Ok(()) };
        let _ = resumable.interrupt();
        let _part = resumable.part.lock().await;
        if receiving.over.is_cancelled() {
            return Ok(());
        }
        if let Some(row) = self.row(&receiving.id).await?.filter(|row| row.state == DocumentState::Receiving) {
            self.give_up(row, true, why).await;
        }
        self.unregister(receiving);
        Ok(())
    }

    fn resumable(&self, id: &str) -> Option<Arc<Receiving>> {
        self.receiving().get(id).filter(|receiving| receiving.resumable.is_some()).cloned()
    }

    pub(super) async fn expire(&self) -> Result<()> {
        let all: Vec<_> = self.receiving().values().filter(|one| one.resumable.is_some()).cloned().collect();
        let now = Instant::now();
        for receiving in all {
            if receiving.resumable.as_ref().is_some_and(|resumable| resumable.has_expired(now)) {
                self.end_unfinished(&receiving, &InboxError::Expired).await?;
            }
        }
        Ok(())
    }
}

/// Gives up uploads of which nothing has come for long.
pub(crate) struct Expiry(pub(crate) Inbox);

impl Task for Expiry {
    async fn run(&mut self) {
        loop {
            if let Err(error) = self.0.expire().await {
                tracing::error!("failed to give up old uploads: {error:#}");
            }
            tokio::time::sleep(EXPIRY_INTERVAL).await;
        }
    }
}
