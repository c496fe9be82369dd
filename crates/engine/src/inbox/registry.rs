//! The inbox: the documents that are being received, and what their senders ask.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;
use tributary_config::UploadsConfig;
use tributary_store::{DocumentRow, DocumentState, Place, Store};

use super::{
    arrival::Arrival,
    body::BodyLimits,
    receiving::Receiving,
    start::DocumentSource,
    view::{Document, Stage},
};
use crate::{
    count,
    database::{Batch, Batches, Readers, Writer},
    documents::Documents,
};

/// Limit for bodies that are received to disk at a time.
pub const MAX_UPLOADS: usize = 8;
/// Limit for bodies that are received to memory at a time.
const MAX_SMALL_UPLOADS: usize = 128;
/// Limit for bodies that wait to be received to memory. Further ones are refused.
pub(super) const MAX_WAITING_SMALL: usize = 256;
/// Interval in which a document that is under way is looked at.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Takes in documents; clones share it.
#[derive(Clone)]
pub struct Inbox(pub(super) Arc<Shared>);

/// The parts that the inbox works with.
pub(crate) struct InboxParts<'a> {
    pub(crate) config: &'a UploadsConfig,
    pub(crate) readers: Readers,
    pub(crate) writer: Writer,
    pub(crate) documents: Documents,
    pub(crate) source: DocumentSource,
    /// Documents that an earlier process has received in part.
    pub(crate) unfinished: Vec<DocumentRow>,
    /// The time over which a sender must keep the least speed on average.
    pub(crate) patience: Duration,
    /// Cancelled when the engine stops.
    pub(crate) stop: CancellationToken,
}

pub(super) struct Shared {
    pub(super) limits: BodyLimits,
    /// Messages that are remembered, and for how long.
    pub(super) keep_messages: (i64, Duration),
    pub(super) readers: Readers,
    pub(super) writer: Writer,
    pub(super) documents: Documents,
    pub(super) source: DocumentSource,
    /// Documents that are being received, by id. Locked only to look one up, add or remove it.
    receiving: Mutex<HashMap<String, Arc<Receiving>>>,
    /// Received documents that wait to be stored. Locked only to add one or to take all.
    pub(super) arrivals: Mutex<Vec<Arrival>>,
    /// Held while a group of them is stored.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// One permit per body that may be received to disk.
    pub(super) permits: Arc<Semaphore>,
    /// One permit per body that may be received to memory.
    pub(super) small_permits: Arc<Semaphore>,
    /// One permit per body that may wait for one of those.
    pub(super) small_waiting: Semaphore,
    pub(super) stop: CancellationToken,
}

impl Inbox {
    pub(crate) fn new(parts: InboxParts<'_>) -> Self {
        let InboxParts { config, readers, writer, documents, source, unfinished, patience, stop } = parts;
        let receiving = unfinished.iter().map(|row| (row.id.clone(), Arc::new(Receiving::resumable(row)))).collect();
        Self(Arc::new(Shared {
            limits: BodyLimits { max_size: config.max_size, keep_free: config.keep_free, patience },
            keep_messages: (count::stored(config.keep_messages), config.keep_messages_for),
            readers,
            writer,
            documents,
            source,
            receiving: Mutex::new(receiving),
            arrivals: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            permits: Arc::new(Semaphore::new(MAX_UPLOADS)),
            small_permits: Arc::new(Semaphore::new(MAX_SMALL_UPLOADS)),
            small_waiting: Semaphore::new(MAX_WAITING_SMALL),
            stop,
        }))
    }

    /// Longest body in bytes.
    #[must_use]
    pub fn max_size(&self) -> u64 {
        self.0.limits.max_size
    }

    /// One document.
    ///
    /// # Errors
    /// The database fails.
    pub async fn get(&self, id: &str) -> Result<Option<Document>> {
        if let Some(receiving) = self.receiving().get(id) {
            return Ok(Some(Document::receiving(receiving)));
        }
        Ok(self.row(id).await?.map(|row| self.view(row)))
    }

    /// The document that a path stands for, or else the latest that was sent to it, if that failed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn at(&self, path: &str) -> Result<Option<Document>> {
        let path = path.to_owned();
        let row = self.0.readers.run(move |store| {
            for place in [Place::Next, Place::Current] {
                if let Some(row) = store.document_at(&path, place)? {
                    return Ok(Some(row));
                }
            }
            Ok(store.latest_document(&path)?.filter(|row| row.state == DocumentState::Failed))
        });
        Ok(row.await?.map(|row| self.view(row)))
    }

    /// At most `limit` documents, newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn list(&self, limit: i64) -> Result<Vec<Document>> {
        let each = self.newest(None, limit);
        let read = move |store: &mut Store| {
            let mut all = Vec::new();
            each(store, &mut |document| {
                all.push(document);
                Ok(())
            })?;
            Ok(all)
        };
        self.0.readers.run(read).await
    }

    /// At most `limit` documents, or those of one path, newest first, in batches from one snapshot.
    ///
    /// # Errors
    /// As [`Engine::export_products`](crate::Engine::export_products).
    pub async fn export(&self, path: Option<String>, limit: i64) -> Result<Batches<Document>> {
        let each = self.newest(path, limit);
        let produce = move |store: &mut Store, send: &mut dyn FnMut(Vec<Document>) -> Result<()>| {
            let mut batch = Batch::new(send);
            each(store, &mut |document| {
                let bytes = document.text_bytes();
                batch.push(document, bytes)
            })?;
            batch.finish()
        };
        self.0.readers.stream(produce).await
    }

    /// Passes on stored documents, and those that are being received now.
    fn newest(
        &self,
        path: Option<String>,
        limit: i64,
    ) -> impl FnOnce(&mut Store, &mut dyn FnMut(Document) -> Result<()>) -> Result<()> + Send + use<> {
        let is_wanted = |receiving: &&Arc<Receiving>| path.as_ref().is_none_or(|path| receiving.path == *path);
        let mut receiving: Vec<_> = self.receiving().values().filter(is_wanted).cloned().collect();
        // The newest is the last.
        receiving.sort_unstable_by(|a, b| (&a.created_at, &a.id).cmp(&(&b.created_at, &b.id)));
        let ids: HashSet<String> = receiving.iter().map(|receiving| receiving.id.clone()).collect();
        let inbox = self.clone();
        move |store, take| {
            let mut left = limit;
            let mut pass = |document: Document| {
                left -= 1;
                if left < 0 { Ok(()) } else { take(document) }
            };
            store.each_newest_document(path.as_deref(), limit, |row| {
                let is_newer = |other: &mut Arc<Receiving>| (&other.created_at, &other.id) > (&row.created_at, &row.id);
                while let Some(newer) = receiving.pop_if(is_newer) {
                    pass(Document::receiving(&newer))?;
                }
                if ids.contains(&row.id) { Ok(()) } else { pass(inbox.view(row)) }
            })?;
            receiving.iter().rev().try_for_each(|receiving| pass(Document::receiving(receiving)))
        }
    }

    /// Waits until a document differs from `known`, and returns it; `None` if it is forgotten.
    ///
    /// # Errors
    /// The database fails.
    pub async fn news(&self, known: &Document) -> Result<Option<Document>> {
        let mut end = self.0.documents.follow(&known.id);
        loop {
            let Some(found) = self.get(&known.id).await? else { return Ok(None) };
            // Between two readers of a file, nobody reads it.
            let is_pause = (known.stage, found.stage) == (Stage::Processing, Stage::Queued);
            if found != *known && !is_pause {
                return Ok(Some(found));
            }
            let _ = tokio::time::timeout(PROGRESS_INTERVAL, end.changed()).await;
        }
    }

    /// Waits until a document has ended, at most for `limit` and until the engine stops, and returns it; `None` if it is forgotten.
    ///
    /// # Errors
    /// The database fails.
    pub async fn wait(&self, id: &str, limit: Duration) -> Result<Option<Document>> {
        let deadline = Instant::now() + limit;
        let mut end = self.0.documents.follow(id);
        // Its row first: whoever receives it may not have noticed yet that it has ended, and nobody would tell of the end again.
        let stored = self.row(id).await?.map(|row| self.view(row)).filter(|stored| stored.stage.is_final());
        if stored.is_some() {
            return Ok(stored);
        }
        if self.get(id).await?.is_none() {
            return Ok(None);
        }
        let ended = tokio::select! {
            ended = tokio::time::timeout_at(deadline, end.wait_for(Option::is_some)) => ended.ok().and_then(Result::ok),
            // The document is stored, and its sender must hear that while the entrances still answer.
            () = self.0.stop.cancelled() => None,
        };
        match ended {
            Some(row) => Ok(row.clone().map(|row| self.view(row))),
            None => self.get(id).await,
        }
    }

    /// The source that reads documents.
    pub(crate) fn source(&self) -> &DocumentSource {
        &self.0.source
    }

    /// Whether an id is or was that of a document. One that was taken back keeps its id: its file may be deleted only later.
    ///
    /// # Errors
    /// The database fails.
    pub async fn is_known(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        self.0.readers.run(move |store| Ok(store.document(&id)?.is_some())).await
    }

    pub(super) async fn row(&self, id: &str) -> Result<Option<DocumentRow>> {
        let id = id.to_owned();
        let row = self.0.readers.run(move |store| Ok(store.document(&id)?)).await?;
        Ok(row.filter(|row| row.state != DocumentState::Deleted))
    }

    pub(super) fn view(&self, row: DocumentRow) -> Document {
        let reads = self.0.documents.active_reads();
        let read = row.hash.as_ref().and_then(|hash| reads.find(&row.path, hash));
        Document::stored(row, read.as_deref())
    }

    pub(super) fn receiving(&self) -> MutexGuard<'_, HashMap<String, Arc<Receiving>>> {
        self.0.receiving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
