//! Uploads: files that people and programs send. A body goes to disk under a hidden name, is renamed into the folder of the source
//! `uploads`, and is read there like any other source's file; the upload is complete when what was read is committed. It knows
//! no HTTP.

mod body;
mod disk;
mod ending;
mod error;
mod job;
mod name;
mod reception;
mod recover;
mod shelf;
mod source;
mod tracker;
mod verdict;

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use body::Limits;
use job::Job;
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tributary_config::UploadsConfig;
use tributary_store::UploadRow;

use crate::database::{Readers, Writer};

pub use error::UploadError;
pub use job::{Stage, Upload, UploadStatus};
pub use reception::{Admitted, UploadOffer};
pub(crate) use recover::recover;
pub(crate) use shelf::Shelf;
pub(crate) use source::UploadSource;
pub(crate) use tracker::Tracker;

/// Bodies that are received at one time.
pub const MAX_UPLOADS: usize = 8;
/// How long nothing of a body may come.
pub const BODY_IDLE: Duration = Duration::from_secs(30);

/// All uploads; clones share them.
#[derive(Clone)]
pub struct Uploads(Arc<Shared>);

struct Shared {
    shelf: Shelf,
    limits: Limits,
    writer: Writer,
    readers: Readers,
    source: UploadSource,
    /// Uploads that are under way, by id. Held only to look, to add or to remove one.
    jobs: Mutex<HashMap<String, Arc<Job>>>,
    /// Places for bodies that come in.
    places: Arc<Semaphore>,
    /// Held while names in the folder change hands, so that no two uploads meet there. Before `jobs` where both are needed.
    alone: tokio::sync::Mutex<()>,
    /// Wakes the tracker.
    woken: Notify,
    /// Cancelled when the master stops.
    stop: CancellationToken,
}

impl Uploads {
    /// Uploads into `shelf`, of which `queued` go on.
    pub(crate) fn new(
        (shelf, config): (Shelf, &UploadsConfig),
        (readers, writer): (Readers, Writer),
        source: UploadSource,
        queued: Vec<UploadRow>,
        stop: CancellationToken,
    ) -> Self {
        let jobs = queued.into_iter().map(|row| (row.id.clone(), Arc::new(Job::stored(row)))).collect();
        Self(Arc::new(Shared {
            shelf,
            limits: Limits { max_size: config.max_size, keep_free: config.keep_free, idle: BODY_IDLE },
            writer,
            readers,
            source,
            jobs: Mutex::new(jobs),
            places: Arc::new(Semaphore::new(MAX_UPLOADS)),
            alone: tokio::sync::Mutex::default(),
            woken: Notify::new(),
            stop,
        }))
    }

    /// One upload, and how to follow it if it is under way.
    ///
    /// # Errors
    /// The database fails.
    pub async fn get(&self, id: &str) -> Result<Option<(Upload, Option<watch::Receiver<UploadStatus>>)>> {
        let live = self.jobs().get(id).cloned();
        if let Some(job) = live {
            return Ok(Some((job.upload(), Some(job.status.subscribe()))));
        }
        let id = id.to_owned();
        let stored = self.0.readers.run(move |store| Ok(store.upload(&id)?)).await?;
        Ok(stored.map(|row| (row.into(), None)))
    }

    /// All uploads, the newest first; with `filename` those of that file.
    ///
    /// # Errors
    /// The database fails.
    pub async fn list(&self, filename: Option<String>) -> Result<Vec<Upload>> {
        let wanted = |job: &&Arc<Job>| filename.as_ref().is_none_or(|filename| job.filename == *filename);
        let live: Vec<_> = self.jobs().values().filter(wanted).map(|job| job.upload()).collect();
        let stored = self.0.readers.run(move |store| Ok(store.uploads(filename.as_deref())?)).await?;
        Ok(tracker::overlaid(stored.into_iter().map(Upload::from).collect(), live))
    }

    /// Those whose file has its name, and is waited for.
    fn received(&self) -> Vec<Arc<Job>> {
        self.jobs().values().filter(|job| job.is_published()).cloned().collect()
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<String, Arc<Job>>> {
        self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn alone(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.alone.lock().await
    }

    async fn woken(&self) {
        self.0.woken.notified().await;
    }

    fn writer(&self) -> &Writer {
        &self.0.writer
    }

    fn readers(&self) -> &Readers {
        &self.0.readers
    }

    pub(crate) fn source(&self) -> &UploadSource {
        &self.0.source
    }

    /// Does something in the folder, off the async workers.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shelf) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let shelf = self.0.shelf.clone();
        let done = tokio::task::spawn_blocking(move || work(&shelf)).await.context("the work broke off")?;
        done.context("the folder of uploads fails")
    }
}
