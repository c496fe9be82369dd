//! The uploads that are under way, and the lists that join them with the stored ones.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tributary_config::UploadsConfig;
use tributary_store::UploadRow;

use super::{
    body::BodyLimits,
    folder::UploadFolder,
    job::{Job, Upload, UploadStatus},
    source::UploadSource,
};
use crate::database::{Readers, Writer};

/// Limit for bodies that are received at a time.
pub const MAX_UPLOADS: usize = 8;
/// Longest silence inside a body.
pub const MAX_BODY_SILENCE: Duration = Duration::from_secs(30);

/// All uploads; clones share them.
#[derive(Clone)]
pub struct Uploads(pub(super) Arc<Shared>);

/// The parts that uploads work with.
pub(crate) struct UploadParts<'a> {
    pub(crate) folder: UploadFolder,
    pub(crate) config: &'a UploadsConfig,
    pub(crate) readers: Readers,
    pub(crate) writer: Writer,
    pub(crate) source: UploadSource,
    /// Uploads of an earlier process that wait to be read.
    pub(crate) queued: Vec<UploadRow>,
    /// Cancelled when the engine stops.
    pub(crate) stop: CancellationToken,
}

pub(super) struct Shared {
    pub(super) folder: UploadFolder,
    pub(super) limits: BodyLimits,
    pub(super) readers: Readers,
    pub(super) writer: Writer,
    pub(super) source: UploadSource,
    /// Uploads that are under way, by id. Locked only to look one up, add or remove it.
    jobs: Mutex<HashMap<String, Arc<Job>>>,
    /// One permit per body that may be received.
    pub(super) permits: Arc<Semaphore>,
    /// Held while an upload changes names in the folder, so that no two uploads meet there. Locked before `jobs` where both are
    /// needed.
    folder_lock: tokio::sync::Mutex<()>,
    /// Wakes the tracker when an upload is published.
    pub(super) published: Notify,
    pub(super) stop: CancellationToken,
}

impl Uploads {
    pub(crate) fn new(parts: UploadParts<'_>) -> Self {
        let UploadParts { folder, config, readers, writer, source, queued, stop } = parts;
        let jobs = queued.into_iter().map(|row| (row.id.clone(), Arc::new(Job::stored(row)))).collect();
        Self(Arc::new(Shared {
            folder,
            limits: BodyLimits {
                max_size: config.max_size,
                keep_free: config.keep_free,
                max_silence: MAX_BODY_SILENCE,
            },
            readers,
            writer,
            source,
            jobs: Mutex::new(jobs),
            permits: Arc::new(Semaphore::new(MAX_UPLOADS)),
            folder_lock: tokio::sync::Mutex::default(),
            published: Notify::new(),
            stop,
        }))
    }

    /// Returns one upload, with a channel that follows its status if it is under way.
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

    /// Lists all uploads, or those of one file, newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn list(&self, filename: Option<String>) -> Result<Vec<Upload>> {
        let wanted = |job: &&Arc<Job>| filename.as_ref().is_none_or(|filename| job.filename == *filename);
        let live: Vec<_> = self.jobs().values().filter(wanted).map(|job| job.upload()).collect();
        let stored = self.0.readers.run(move |store| Ok(store.uploads(filename.as_deref())?)).await?;
        Ok(newest_first(stored.into_iter().map(Upload::from).collect(), live))
    }

    /// The source that reads the files of uploads.
    pub(crate) fn source(&self) -> &UploadSource {
        &self.0.source
    }

    /// The uploads whose file has its name in the folder and is not fully applied yet.
    pub(super) fn published(&self) -> Vec<Arc<Job>> {
        self.jobs().values().filter(|job| job.is_published()).cloned().collect()
    }

    pub(super) fn jobs(&self) -> MutexGuard<'_, HashMap<String, Arc<Job>>> {
        self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn lock_folder(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.folder_lock.lock().await
    }

    /// Runs `work` on the folder, off the async workers.
    pub(super) async fn in_folder<T: Send + 'static>(
        &self,
        work: impl FnOnce(&UploadFolder) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let folder = self.0.folder.clone();
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        done.context("a step in the folder of uploads has panicked")?.context("a step in the folder of uploads failed")
    }
}

/// Joins stored uploads with those under way, whose state is fresher.
fn newest_first(stored: Vec<Upload>, live: Vec<Upload>) -> Vec<Upload> {
    let by_id: HashMap<String, Upload> =
        stored.into_iter().chain(live).map(|upload| (upload.id.clone(), upload)).collect();
    let mut all: Vec<_> = by_id.into_values().collect();
    all.sort_unstable_by(|a, b| (&b.created_at, &b.id).cmp(&(&a.created_at, &a.id)));
    all
}
