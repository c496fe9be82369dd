//! What happens to uploads once they are received: one task looks at how far the reading of each file is, asks what those who
//! read it have made of it, and ends the upload.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Result;
use tributary_store::Store;

use super::{
    Job, Shelf, Upload, Uploads,
    job::{Content, Stage, UploadStatus},
    shelf::There,
    verdict::{Verdict, verdict},
};
use crate::{
    clock::now,
    supervise::{Task, test_panic},
};

/// How often the reading of a file is looked at.
const TICK: Duration = Duration::from_millis(100);

/// How long nothing is done after the database or the disk has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Follows all uploads that were received.
pub(crate) struct Tracker(Uploads);

impl Tracker {
    /// Follows `uploads` once it runs.
    pub(crate) fn new(uploads: Uploads) -> Self {
        Self(uploads)
    }
}

impl Task for Tracker {
    /// Works for ever.
    async fn run(&mut self) {
        track(&self.0).await;
    }
}

async fn track(uploads: &Uploads) {
    let mut done = uploads.writer().done();
    loop {
        done.borrow_and_update();
        let waiting = uploads.received();
        if waiting.is_empty() {
            uploads.woken().await;
            continue;
        }
        test_panic("uploads");
        let is_unclear = match look(uploads, &waiting).await {
            Ok(is_unclear) => is_unclear,
            Err(error) => {
                tracing::error!("failed to look after uploads: {error:#}");
                tokio::time::sleep(AFTER_FAILURE).await;
                continue;
            }
        };
        // What is read shows; what is committed was written by the writer.
        loop {
            waiting.iter().for_each(|job| show_advance(uploads, job));
            tokio::select! {
                changed = done.changed() => if changed.is_err() { return },
                () = uploads.woken() => {}
                () = tokio::time::sleep(TICK) => {
                    let gone = gone(uploads, &waiting).await.unwrap_or_default();
                    if !is_unclear && !gone.contains(&true) {
                        continue;
                    }
                }
            }
            break;
        }
    }
}

/// Asks what has become of each of them, and ends those of which that is known. Whether there are some of which it is known only
/// when another reading is over.
async fn look(uploads: &Uploads, waiting: &[Arc<Job>]) -> Result<bool> {
    uploads.source().begin().await?;
    let hash = |job: &Job| job.content.get().map(|content| content.hash.clone()).unwrap_or_default();
    let asked: Vec<_> = waiting.iter().map(|job| (job.filename.clone(), hash(job))).collect();
    // What the tables hold may be driven out by what this name had before. Asked first: a reading that begins later finds the
    // new file.
    let active_reads = uploads.source().local.active_reads();
    let unclear: Vec<_> = asked.iter().map(|(path, hash)| active_reads.has_another(path, hash)).collect();
    let reports = uploads.source().reports();
    let read = move |store: &mut Store| {
        asked.iter().map(|(path, hash)| verdict(store, &reports, path, hash)).collect::<Result<Vec<_>>>()
    };
    let verdicts = uploads.readers().run(read).await?;
    // Asked after the database: what is committed counts even if its file has gone since.
    let gone = gone(uploads, waiting).await?;
    for (((job, verdict), is_gone), is_unclear) in waiting.iter().zip(verdicts).zip(gone).zip(&unclear) {
        match verdict {
            Verdict::Committed { .. } if *is_unclear => {}
            Verdict::Committed { rows, rejects } => complete(uploads, job, rows, rejects).await?,
            Verdict::Rejected(why) => uploads.undo(job, why).await?,
            Verdict::Pending if is_gone => {
                uploads.give_up(job, "its file was removed or replaced before it was read").await;
            }
            Verdict::Pending => {}
        }
    }
    Ok(unclear.contains(&true))
}

async fn complete(uploads: &Uploads, job: &Job, rows: u64, rejects: u64) -> Result<()> {
    let _alone = uploads.alone().await;
    let Some(content) = job.content.get().filter(|_| job.is_published()) else { return Ok(()) };
    let id = job.id.clone();
    uploads.on_disk(move |shelf| shelf.keep(&id)).await?;
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
    uploads.end(job, status).await;
    let (file, bytes) = (&job.filename, content.bytes);
    tracing::info!(file.path = %file, bytes, rows, rows.rejected = rejects, "the upload of `{file}` is complete");
    Ok(())
}

/// Shows how far the reading of the file is, if it has begun.
fn show_advance(uploads: &Uploads, job: &Job) {
    let Some(content) = job.content.get() else { return };
    let Some(read) = uploads.source().local.active_reads().find(&job.filename, &content.hash) else { return };
    let (bytes, rows) = read.progress();
    let percent = if content.bytes == 0 { 100.0 } else { bytes as f64 / content.bytes as f64 * 100.0 };
    let show = |status: &mut UploadStatus| {
        let percent = Some((percent.min(100.0) * 10.0).round() / 10.0);
        let is_news = (status.stage, status.rows, status.percent) != (Stage::Processing, rows, percent);
        if status.stage.is_final() || !is_news {
            return false;
        }
        (status.stage, status.rows, status.percent) = (Stage::Processing, rows, percent);
        true
    };
    job.status.send_if_modified(show);
}

/// Of each, whether its file will never be read: somebody has taken it away, or put another in its place.
async fn gone(uploads: &Uploads, waiting: &[Arc<Job>]) -> Result<Vec<bool>> {
    let local = Arc::clone(&uploads.source().local);
    let files: Vec<_> = waiting.iter().map(|job| (job.filename.clone(), job.content.get().cloned())).collect();
    let is_gone = move |shelf: &Shelf, (filename, content): &(String, Option<Content>)| {
        let holds_another = |content: &Content| local.holds_another(filename, &content.hash);
        shelf.there(filename) != There::File || content.as_ref().is_some_and(holds_another)
    };
    uploads.on_disk(move |shelf| Ok(files.iter().map(|file| is_gone(shelf, file)).collect())).await
}

/// What is stored, with what is known of those that are under way laid over it; the newest first.
pub(super) fn overlaid(stored: Vec<Upload>, live: Vec<Upload>) -> Vec<Upload> {
    let mut all: HashMap<String, Upload> =
        stored.into_iter().chain(live).map(|upload| (upload.id.clone(), upload)).collect();
    let mut all: Vec<_> = all.drain().map(|(_, upload)| upload).collect();
    all.sort_unstable_by(|a, b| (&b.created_at, &b.id).cmp(&(&a.created_at, &a.id)));
    all
}
