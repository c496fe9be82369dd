//! Receives an upload: checks the request, receives the body, and gives the file its name.

use std::{fmt::Display, pin::Pin, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use futures_util::{
    Stream,
    future::{MaybeDone, maybe_done},
};
use tokio::{sync::OwnedSemaphorePermit, task::JoinHandle};
use tributary_store::Store;

use super::{
    body::{self, BodyLimits},
    error::UploadError,
    folder::{EntryKind, UploadFolder},
    job::{Content, Job, Stage, UploadStatus},
    name,
    registry::{MAX_UPLOADS, Uploads},
};

/// Longest wait, before the body is read, until the database has stored the upload.
const MAX_STORE_WAIT: Duration = Duration::from_millis(500);

/// A request to upload a file.
#[derive(Debug)]
pub struct UploadRequest {
    /// The name of its file.
    pub filename: String,
    /// Chosen by a client that wants to follow the upload from its first byte.
    pub id: Option<String>,
    /// True if it may replace a file.
    pub may_replace: bool,
    /// Length of the file in bytes, if it is known.
    pub size: Option<u64>,
    /// Lower bound of that length.
    pub at_least: u64,
}

/// An upload that was admitted and whose body may come.
pub struct Admitted {
    uploads: Uploads,
    job: Arc<Job>,
    _permit: OwnedSemaphorePermit,
    /// The write of its row, which only the end of the body waits for.
    stored: MaybeDone<JoinHandle<Result<()>>>,
}

/// An upload that failed because a later one of the same name was published.
struct Overtaken {
    job: Arc<Job>,
    /// Its last status.
    status: UploadStatus,
}

impl Uploads {
    /// Admits or refuses an upload before its body is read.
    ///
    /// # Errors
    /// The upload is refused.
    pub async fn admit(&self, request: UploadRequest) -> Result<Admitted, UploadError> {
        name::filename(&request.filename, &self.0.source.formats())?;
        let id = request.id.as_deref().map_or_else(|| Ok(name::new_id()), name::id)?;
        let BodyLimits { max_size, .. } = self.0.limits;
        if request.at_least > max_size {
            return Err(UploadError::TooLarge { limit: max_size });
        }
        let wanted = id.clone();
        if self.0.readers.run(move |store| Ok(store.upload(&wanted)?)).await?.is_some() {
            return Err(UploadError::KnownId { id });
        }
        let entry = self.entry_kind(&request.filename).await?;
        let permit = Arc::clone(&self.0.permits).try_acquire_owned();
        let permit = permit.map_err(|_| UploadError::TooMany { limit: MAX_UPLOADS })?;
        self.check_free_space(request.at_least).await?;
        let job = self.register(id, request, entry)?;
        let (writer, row) = (self.0.writer.clone(), job.current_row());
        let store = async move { writer.run_first(move |store| Ok(store.put_upload(&row)?)).await };
        let mut stored = maybe_done(tokio::spawn(store));
        // A stored row lets the next start report this upload as failed after a crash. A busy writer must not hold up the body.
        let _ = tokio::time::timeout(MAX_STORE_WAIT, &mut stored).await;
        Ok(Admitted { uploads: self.clone(), job, _permit: permit, stored })
    }

    async fn entry_kind(&self, filename: &str) -> Result<EntryKind> {
        let filename = filename.to_owned();
        self.in_folder(move |folder| Ok(folder.entry_kind(&filename))).await
    }

    async fn check_free_space(&self, size: u64) -> Result<(), UploadError> {
        let keep_free = self.0.limits.keep_free;
        if self.in_folder(UploadFolder::free_bytes).await? < keep_free.saturating_add(size) {
            return Err(UploadError::NoRoom { keep_free });
        }
        Ok(())
    }

    /// Registers a job unless its id or its name is taken.
    fn register(&self, id: String, request: UploadRequest, entry: EntryKind) -> Result<Arc<Job>, UploadError> {
        let UploadRequest { filename, may_replace, size, .. } = request;
        let mut jobs = self.jobs();
        if jobs.contains_key(&id) {
            return Err(UploadError::KnownId { id });
        }
        check_entry(entry, &filename, may_replace)?;
        if !may_replace && jobs.values().any(|job| job.filename == filename) {
            return Err(UploadError::Taken { filename });
        }
        let job = Arc::new(Job::new(id.clone(), filename, may_replace, size));
        jobs.insert(id, Arc::clone(&job));
        Ok(job)
    }

    /// Gives a received file its name in the folder. The upload is stored before that, so the next start repeats the step after a
    /// crash, and a client that got its answer finds the upload.
    ///
    /// The last upload of a name wins, even over one that is still being read. That one has then failed, and the file that it had
    /// replaced is kept as the backup of the last one. The file of an upload that was overtaken before it was applied is never
    /// restored.
    async fn publish(&self, job: &Arc<Job>, content: Content) -> Result<(), UploadError> {
        let _lock = self.lock_folder().await;
        if job.cancel.is_cancelled() {
            return Err(UploadError::Cancelled);
        }
        let entry = self.entry_kind(&job.filename).await?;
        check_entry(entry, &job.filename, job.may_replace)?;
        job.content.get_or_init(|| content);
        let overtaken = self.published().into_iter().find(|other| other.filename == job.filename).map(Overtaken::new);
        let replaces = overtaken.as_ref().map_or(entry == EntryKind::File, |other| other.job.replaces());
        job.set_replaces(replaces);
        let status = UploadStatus { stage: Stage::Queued, ..job.status.borrow().clone() };
        let mut rows = vec![job.row(&status)];
        rows.extend(overtaken.iter().map(|other| other.job.row(&other.status)));
        let put = move |store: &mut Store| {
            store.transaction(|store| Ok(rows.iter().try_for_each(|row| store.put_upload(row))?))
        };
        self.0.writer.run_first(put).await?;
        let placement = job.placement();
        let overtaken_id = overtaken.as_ref().map(|other| other.job.id.clone());
        let is_published = self.in_folder(move |folder| folder.publish(&placement, overtaken_id.as_deref())).await?;
        if !is_published {
            return Err(UploadError::Failed(anyhow!("its received body is missing from the folder of uploads")));
        }
        job.status.send_replace(status);
        if let Some(other) = overtaken {
            self.close(&other.job, other.status);
        }
        self.0.published.notify_one();
        Ok(())
    }
}

impl Overtaken {
    fn new(job: Arc<Job>) -> Self {
        let status = job.failed("another upload has taken its place".to_owned());
        Self { job, status }
    }
}

/// Refuses to replace an entry that has the name of an upload, unless it is a file that may be replaced.
fn check_entry(entry: EntryKind, filename: &str, may_replace: bool) -> Result<(), UploadError> {
    match entry {
        EntryKind::Other => Err(UploadError::NoFile { filename: filename.to_owned() }),
        EntryKind::File if !may_replace => Err(UploadError::Taken { filename: filename.to_owned() }),
        EntryKind::File | EntryKind::Missing => Ok(()),
    }
}

impl Admitted {
    /// The upload's id.
    pub fn id(&self) -> &str {
        &self.job.id
    }

    /// Receives the body. Once this succeeds the file is on disk under its name, and survives a crash of the master.
    ///
    /// # Errors
    /// The upload failed, and what was received of it is deleted.
    pub async fn receive<E: Display>(
        self,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<(), UploadError> {
        let Self { uploads, job, _permit, mut stored } = self;
        let shared = &uploads.0;
        let received = body::receive(&job, &shared.folder, body, &shared.limits, &shared.stop).await;
        // No later write of the row may come before the first.
        (&mut stored).await;
        let stored = Pin::new(&mut stored).take_output().context("the write of an upload's row has no result");
        let publish = async {
            let content = received?;
            stored?.context("the write of an upload's row has panicked")??;
            uploads.publish(&job, content).await
        };
        let Err(error) = publish.await else { return Ok(()) };
        let id = job.id.clone();
        if let Err(error) = uploads.in_folder(move |folder| folder.delete_incoming(&id)).await {
            let file = &job.filename;
            tracing::warn!(file.path = %file, "failed to delete the received part of `{file}`: {error:#}");
        }
        if let UploadError::Failed(error) = &error {
            let file = &job.filename;
            tracing::error!(file.path = %file, "failed to store the upload of `{file}`: {error:#}");
        }
        // The next start stores the failure of an upload that a stop has interrupted.
        if !matches!(error, UploadError::Stopping) {
            uploads.finish(&job, job.failed(error.to_string())).await;
        }
        Err(error)
    }
}
