//! How an upload comes in: it is judged by what is said of it, its body is received, and its file gets its name.

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
    Job, MAX_UPLOADS, Shelf, Stage, UploadError, UploadStatus, Uploads,
    body::{self, Limits, Received},
    job::Content,
    name,
    shelf::There,
};

/// How long an upload waits, before its body is read, for being noted in the database.
const NOTING: Duration = Duration::from_millis(500);

/// What somebody wants to upload.
#[derive(Debug)]
pub struct UploadOffer {
    /// The name of its file.
    pub filename: String,
    /// Chosen by the client, if it wants to follow the upload from its first byte.
    pub id: Option<String>,
    /// Whether it may take the place of a file.
    pub may_replace: bool,
    /// Bytes of the file, if that is known.
    pub size: Option<u64>,
    /// The least bytes that must come, where the file's own are not known.
    pub at_least: u64,
}

/// An upload that was admitted: its body may come.
pub struct Admitted {
    uploads: Uploads,
    job: Arc<Job>,
    _place: OwnedSemaphorePermit,
    /// Its row, on its way to the database: nobody waits for that but the end of the body.
    stored: MaybeDone<JoinHandle<Result<()>>>,
}

impl Uploads {
    /// Judges an upload before anything of its body is read.
    ///
    /// # Errors
    /// It cannot be taken.
    pub async fn admit(&self, offer: UploadOffer) -> Result<Admitted, UploadError> {
        name::filename(&offer.filename)?;
        let id = offer.id.as_deref().map_or_else(|| Ok(name::new_id()), name::id)?;
        let Limits { max_size, .. } = self.0.limits;
        if offer.at_least > max_size {
            return Err(UploadError::TooLarge { limit: max_size });
        }
        let asked = id.clone();
        if self.0.readers.run(move |store| Ok(store.upload(&asked)?)).await?.is_some() {
            return Err(UploadError::KnownId { id });
        }
        let filename = offer.filename.clone();
        let there = self.on_disk(move |shelf| Ok(shelf.there(&filename))).await?;
        let place = Arc::clone(&self.0.places).try_acquire_owned();
        let place = place.map_err(|_| UploadError::TooMany { limit: MAX_UPLOADS })?;
        self.check_room(offer.at_least).await?;
        let job = self.enter(id, offer, there)?;
        let (writer, row) = (self.0.writer.clone(), job.row(&job.status.borrow()));
        let store = async move { writer.run_first(move |store| Ok(store.put_upload(&row)?)).await };
        let mut stored = maybe_done(tokio::spawn(store));
        // What a pulled plug leaves of it is known, unless the writer is busy for long.
        let _ = tokio::time::timeout(NOTING, &mut stored).await;
        Ok(Admitted { uploads: self.clone(), job, _place: place, stored })
    }

    async fn check_room(&self, size: u64) -> Result<(), UploadError> {
        let keep_free = self.0.limits.keep_free;
        if self.on_disk(Shelf::free).await? < keep_free.saturating_add(size) {
            return Err(UploadError::NoRoom { keep_free });
        }
        Ok(())
    }

    /// Enters a job, unless its id or its name is another's.
    fn enter(&self, id: String, offer: UploadOffer, there: There) -> Result<Arc<Job>, UploadError> {
        let UploadOffer { filename, may_replace, size, .. } = offer;
        let mut jobs = self.jobs();
        if jobs.contains_key(&id) {
            return Err(UploadError::KnownId { id });
        }
        let is_coming = jobs.values().any(|job| job.filename == filename);
        match there {
            There::Other => return Err(UploadError::NoFile { filename }),
            There::File if !may_replace => return Err(UploadError::Taken { filename }),
            There::Nothing if is_coming && !may_replace => return Err(UploadError::Taken { filename }),
            _ => {}
        }
        let job = Arc::new(Job::new(id.clone(), filename, may_replace, size));
        jobs.insert(id, Arc::clone(&job));
        Ok(job)
    }

    /// Gives a received body its name in the folder. What was noted before is taken up again after a crash.
    async fn publish(&self, job: &Arc<Job>, body: Received) -> Result<(), UploadError> {
        let _alone = self.alone().await;
        if job.cancel.is_cancelled() {
            return Err(UploadError::Cancelled);
        }
        let filename = job.filename.clone();
        let there = self.on_disk(move |shelf| Ok(shelf.there(&filename))).await?;
        match there {
            There::Other => return Err(UploadError::NoFile { filename: job.filename.clone() }),
            There::File if !job.may_replace => return Err(UploadError::Taken { filename: job.filename.clone() }),
            _ => {}
        }
        job.content.get_or_init(|| Content { bytes: body.bytes, hash: body.hash });
        let rival = self.received().into_iter().find(|other| other.filename == job.filename);
        // What a rival has put there came to nothing: only what that has replaced comes back.
        job.set_replaces(rival.as_ref().map_or(there == There::File, |rival| rival.replaces()));
        let driven_out = rival.as_ref().map(|rival| rival.failed("another upload has taken its place".to_owned()));
        let status = UploadStatus { stage: Stage::Queued, ..job.status.borrow().clone() };
        let rows: Vec<_> = rival.iter().zip(&driven_out).map(|(rival, status)| rival.row(status)).collect();
        let rows = [job.row(&status)].into_iter().chain(rows).collect::<Vec<_>>();
        let note = move |store: &mut Store| {
            store.transaction(|store| Ok(rows.iter().try_for_each(|row| store.put_upload(row))?))
        };
        self.0.writer.run_first(note).await?;
        let (id, filename, replaces) = (job.id.clone(), job.filename.clone(), job.replaces());
        let rival_id = rival.as_ref().map(|rival| rival.id.clone());
        let published = self.on_disk(move |shelf| shelf.publish(&id, &filename, replaces, rival_id.as_deref())).await?;
        if !published {
            return Err(UploadError::Failed(anyhow!(
                "what was received of it is not in the folder of uploads any more"
            )));
        }
        job.status.send_replace(status);
        if let Some((rival, status)) = rival.zip(driven_out) {
            self.leave(&rival, status);
        }
        self.0.woken.notify_one();
        Ok(())
    }
}

impl Admitted {
    /// The upload's id.
    pub fn id(&self) -> &str {
        &self.job.id
    }

    /// Receives the body. When this returns without an error it is on disk, has its name in the folder, and survives whatever
    /// happens to the master.
    ///
    /// # Errors
    /// Nothing of it is left then.
    pub async fn receive<E: Display>(
        self,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<(), UploadError> {
        let Self { uploads, job, _place, mut stored } = self;
        let shared = &uploads.0;
        let received = body::receive(&job, &shared.shelf, body, &shared.limits, &shared.stop).await;
        // Before anything else is noted of it.
        (&mut stored).await;
        let stored = Pin::new(&mut stored).take_output().context("the note of an upload is missing");
        let publish = async {
            let received = received?;
            stored?.context("the note of an upload broke off")??;
            uploads.publish(&job, received).await
        };
        let Err(error) = publish.await else { return Ok(()) };
        let id = job.id.clone();
        if let Err(error) = uploads.on_disk(move |shelf| shelf.discard(&id)).await {
            tracing::warn!("{error:#}");
        }
        if let UploadError::Failed(error) = &error {
            tracing::error!("the upload of `{}` failed: {error:#}", job.filename);
        }
        // Of one that the stop has broken off, the next start says so.
        if !matches!(error, UploadError::Stopping) {
            uploads.end(&job, job.failed(error.to_string())).await;
        }
        Err(error)
    }
}
