//! How an upload ends, other than well: it is cancelled, taken back, or given up. Whoever follows it is told.

use std::time::Duration;

use anyhow::Result;
use tributary_store::{Store, UploadRow, UploadState};

use super::{Job, Stage, UploadError, UploadStatus, Uploads, verdict::is_unknown};

/// How long whoever takes a file back waits for its rows to go.
const LEAVING: Duration = Duration::from_secs(2);

impl Uploads {
    /// Cancels an upload, or takes its file away again and with that its rows. False if nobody knows it.
    ///
    /// # Errors
    /// The database or the disk fails.
    pub async fn cancel(&self, id: &str) -> Result<bool> {
        let live = self.jobs().get(id).cloned();
        if let Some(job) = live {
            job.cancel.cancel();
            let mut status = job.status.subscribe();
            tokio::select! {
                _ = status.wait_for(|status| status.stage != Stage::Receiving) => {}
                () = self.0.stop.cancelled() => {}
            }
            self.undo(&job, UploadError::Cancelled.to_string()).await?;
            // It may have been completed before that.
            if job.stage() != Stage::Complete {
                return Ok(true);
            }
        }
        let alone = self.alone().await;
        let asked = id.to_owned();
        let read = move |store: &mut Store| {
            let row = store.upload(&asked)?;
            let others = row.as_ref().map(|row| store.uploads(Some(&row.filename))).transpose()?;
            Ok(row.zip(others))
        };
        let Some((row, others)) = self.0.readers.run(read).await? else { return Ok(false) };
        let (id, filename) = (row.id.clone(), row.filename.clone());
        let is_last = is_last_complete(&row, &others);
        let heir = self.received().into_iter().find(|job| job.filename == filename).filter(|_| is_last);
        let is_in_place = is_last && heir.is_none();
        if is_in_place {
            self.on_disk(move |shelf| shelf.remove(&filename)).await?;
        }
        if let Some(heir) = &heir {
            heir.set_replaces(false);
        }
        let heirs_row = heir.as_ref().map(|heir| heir.row(&heir.status.borrow()));
        let forget = move |store: &mut Store| {
            store.transaction(|store| {
                heirs_row.iter().try_for_each(|row| store.put_upload(row))?;
                Ok(store.delete_upload(&id)?)
            })
        };
        self.0.writer.run_first(forget).await?;
        if let Some(heir) = heir {
            // The one that is to take its place keeps its file no longer.
            let id = heir.id.clone();
            self.on_disk(move |shelf| shelf.keep(&id)).await?;
        }
        drop(alone);
        if is_in_place {
            // Who is told that it is gone finds no rows of it, unless the writer is busy for long.
            let _ = tokio::time::timeout(LEAVING, self.rows_gone(row.filename)).await;
        }
        Ok(true)
    }

    /// Waits until no rows of a file are left.
    async fn rows_gone(&self, filename: String) -> Result<()> {
        let mut done = self.0.writer.done();
        loop {
            done.borrow_and_update();
            let (asked, reports) = (filename.clone(), self.0.source.reports());
            if self.0.readers.run(move |store| is_unknown(store, &reports, &asked)).await? {
                return Ok(());
            }
            done.changed().await?;
        }
    }

    /// Ends an upload whose file is in the folder: it goes, and what it has replaced comes back.
    pub(super) async fn undo(&self, job: &Job, why: String) -> Result<()> {
        let _alone = self.alone().await;
        if !job.is_published() {
            return Ok(());
        }
        let (id, filename, replaces) = (job.id.clone(), job.filename.clone(), job.replaces());
        self.on_disk(move |shelf| shelf.take_back(&id, &filename, replaces)).await?;
        self.end(job, job.failed(why)).await;
        Ok(())
    }

    /// Ends an upload whose file is not in the folder any more.
    pub(super) async fn give_up(&self, job: &Job, why: &str) {
        let _alone = self.alone().await;
        if job.is_published() {
            let id = job.id.clone();
            if let Err(error) = self.on_disk(move |shelf| shelf.keep(&id)).await {
                tracing::warn!("{error:#}");
            }
            self.end(job, job.failed(why.to_owned())).await;
        }
    }

    /// Notes how an upload has ended, and tells all who follow it.
    pub(super) async fn end(&self, job: &Job, status: UploadStatus) {
        let row = job.row(&status);
        if let Err(error) = self.0.writer.run_first(move |store| Ok(store.put_upload(&row)?)).await {
            // The next start finds out anew.
            tracing::error!("failed to note how the upload of `{}` has ended: {error:#}", job.filename);
        }
        self.leave(job, status);
    }

    pub(super) fn leave(&self, job: &Job, status: UploadStatus) {
        if let Some(why) = &status.error {
            tracing::warn!(file.path = %job.filename, reason = %why, "the upload of `{}` failed: {why}", job.filename);
        }
        job.status.send_replace(status);
        self.jobs().remove(&job.id);
    }
}

/// Whether `row` is a complete upload which no later complete one has replaced.
fn is_last_complete(row: &UploadRow, others: &[UploadRow]) -> bool {
    let is_later = |other: &UploadRow| other.state == UploadState::Complete && other.finished_at > row.finished_at;
    row.state == UploadState::Complete && !others.iter().any(is_later)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, state: UploadState, finished_at: Option<&str>) -> UploadRow {
        UploadRow {
            id: id.into(),
            filename: "a.csv".into(),
            state,
            bytes: 1,
            hash: Some("h".into()),
            replaces: false,
            row_count: 1,
            rejects: 0,
            error: None,
            created_at: "2026-11-25T10:00:00.000Z".into(),
            finished_at: finished_at.map(str::to_owned),
        }
    }

    #[test]
    fn only_the_last_complete_upload_of_a_name_may_have_the_file() {
        use UploadState::{Complete, Failed, Receiving};
        let (first, last) = (row("1", Complete, Some("2026")), row("2", Complete, Some("2027")));
        let failed = row("3", Failed, Some("2028"));
        let others = [first.clone(), last.clone(), failed.clone(), row("4", Receiving, None)];
        assert!(is_last_complete(&last, &others));
        assert!(!is_last_complete(&first, &others));
        assert!(!is_last_complete(&failed, &others));
    }
}
