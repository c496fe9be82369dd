//! Tracks published uploads until they end: one task watches the progress of each file, asks for the verdict of its readers, and
//! ends the upload.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use tributary_store::Store;

use super::{
    folder::{EntryKind, UploadFolder},
    job::{Content, Job, Stage, UploadStatus},
    registry::Uploads,
    verdict::{Verdict, verdict},
};
use crate::{
    clock::now,
    supervise::{Task, test_panic},
};

/// Interval between two updates of the progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// Pause after a failure of the database or the disk.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The task that tracks all published uploads.
pub(crate) struct Tracker(Uploads);

impl Tracker {
    pub(crate) fn new(uploads: Uploads) -> Self {
        Self(uploads)
    }
}

impl Task for Tracker {
    /// Works until the writer stops.
    async fn run(&mut self) {
        track(&self.0).await;
    }
}

async fn track(uploads: &Uploads) {
    let mut done = uploads.0.writer.done();
    loop {
        done.borrow_and_update();
        let waiting = uploads.published();
        if waiting.is_empty() {
            uploads.0.published.notified().await;
            continue;
        }
        test_panic("uploads");
        let is_any_unclear = match check(uploads, &waiting).await {
            Ok(is_any_unclear) => is_any_unclear,
            Err(error) => {
                tracing::error!("failed to check the progress of uploads: {error:#}");
                tokio::time::sleep(RETRY_DELAY).await;
                continue;
            }
        };
        // A verdict can change only after a write, a new upload, the end of another reading, or the loss of a file.
        loop {
            waiting.iter().for_each(|job| show_progress(uploads, job));
            tokio::select! {
                changed = done.changed() => if changed.is_err() { return },
                () = uploads.0.published.notified() => {}
                () = tokio::time::sleep(PROGRESS_INTERVAL) => {
                    let lost = lost_files(uploads, &waiting).await.unwrap_or_default();
                    if !is_any_unclear && !lost.contains(&true) {
                        continue;
                    }
                }
            }
            break;
        }
    }
}

/// Asks for the verdict on each upload, and ends those that have one. Returns true if a verdict must wait because another content
/// of the same name is being read.
///
/// The order matters: active reads, then the database, then the folder.
async fn check(uploads: &Uploads, waiting: &[Arc<Job>]) -> Result<bool> {
    let source = uploads.source();
    source.start().await?;
    let hash = |job: &Job| job.content.get().map(|content| content.hash.clone()).unwrap_or_default();
    let contents: Vec<_> = waiting.iter().map(|job| (job.filename.clone(), hash(job))).collect();
    // No upload is complete while another content of its name is being read, though the tables hold its own: that reading may yet
    // be committed. It is active until its pass is over. A reading that starts after this question finds the new file.
    let active_reads = source.local().active_reads();
    let unclear: Vec<_> = contents.iter().map(|(path, hash)| active_reads.has_another(path, hash)).collect();
    let reports = source.reports();
    let read = move |store: &mut Store| {
        contents.iter().map(|(path, hash)| verdict(store, &reports, path, hash)).collect::<Result<Vec<_>>>()
    };
    let verdicts = uploads.0.readers.run(read).await?;
    // A committed upload is complete even if its file was removed after the commit.
    let lost = lost_files(uploads, waiting).await?;
    for (((job, verdict), is_lost), is_unclear) in waiting.iter().zip(verdicts).zip(lost).zip(&unclear) {
        match verdict {
            Verdict::Committed { .. } if *is_unclear => {}
            Verdict::Committed { rows, rejects } => complete(uploads, job, rows, rejects).await?,
            Verdict::Rejected(why) => uploads.roll_back(job, why).await?,
            Verdict::Pending if is_lost => {
                uploads.abandon(job, "its file was removed or replaced before it was read").await;
            }
            Verdict::Pending => {}
        }
    }
    Ok(unclear.contains(&true))
}

async fn complete(uploads: &Uploads, job: &Job, rows: u64, rejects: u64) -> Result<()> {
    let _lock = uploads.lock_folder().await;
    let Some(content) = job.content.get().filter(|_| job.is_published()) else { return Ok(()) };
    let id = job.id.clone();
    uploads.in_folder(move |folder| folder.delete_backup(&id)).await?;
    let status = UploadStatus {
        stage: Stage::Complete,
        bytes: content.bytes,
        total: Some(content.bytes),
        rows,
        percent: Some(100.0),
        rejects,
        error: None,
        finished_at: Some(now()),
    };
    uploads.finish(job, status).await;
    let (file, bytes) = (&job.filename, content.bytes);
    tracing::info!(file.path = %file, bytes, rows, rows.rejected = rejects, "the upload of `{file}` is complete");
    Ok(())
}

/// Updates the job's status while its file is being read.
fn show_progress(uploads: &Uploads, job: &Job) {
    let Some(content) = job.content.get() else { return };
    let Some(read) = uploads.source().local().active_reads().find(&job.filename, &content.hash) else { return };
    let (bytes, rows) = read.progress();
    let percent = if content.bytes == 0 { 100.0 } else { bytes as f64 / content.bytes as f64 * 100.0 };
    let percent = Some((percent.min(100.0) * 10.0).round() / 10.0);
    job.status.send_if_modified(|status| {
        let is_news = (status.stage, status.rows, status.percent) != (Stage::Processing, rows, percent);
        if status.stage.is_final() || !is_news {
            return false;
        }
        status.stage = Stage::Processing;
        status.rows = rows;
        status.percent = percent;
        true
    });
}

/// Returns, for each upload, true if its file will never be read because it was removed or replaced.
async fn lost_files(uploads: &Uploads, waiting: &[Arc<Job>]) -> Result<Vec<bool>> {
    let local = Arc::clone(uploads.source().local());
    let files: Vec<_> = waiting.iter().map(|job| (job.filename.clone(), job.content.get().cloned())).collect();
    let is_lost = move |folder: &UploadFolder, (filename, content): &(String, Option<Content>)| {
        let is_replaced = |content: &Content| local.holds_another(filename, &content.hash);
        folder.entry_kind(filename) != EntryKind::File || content.as_ref().is_some_and(is_replaced)
    };
    uploads.in_folder(move |folder| Ok(files.iter().map(|file| is_lost(folder, file)).collect())).await
}
