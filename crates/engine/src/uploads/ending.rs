//! Ends uploads: cancels them, deletes their files, and tells their subscribers.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use tributary_store::{Store, UploadRow, UploadState};

use super::{
    error::UploadError,
    job::{Job, Stage, UploadStatus},
    registry::Uploads,
    verdict::is_unknown,
};

/// Longest wait, after a file was deleted, until its rows are gone.
const MAX_REMOVAL_WAIT: Duration = Duration::from_secs(2);

impl Uploads {
    /// Cancels an upload that is under way, or deletes the file of a complete one and with it the rows. Returns false if the id is
    /// unknown.
    ///
    /// Cancelling an upload whose file is being read restores the file that it replaced. Deleting a complete one does not, because
    /// the replaced file is gone.
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
            self.roll_back(&job, UploadError::Cancelled.to_string()).await?;
            // It may have been completed before that.
            if job.stage() != Stage::Complete {
                return Ok(true);
            }
        }
        self.delete_ended(id).await
    }

    /// Deletes an upload that has ended: its row, and its file if that is still the one in the folder.
    async fn delete_ended(&self, id: &str) -> Result<bool> {
        let lock = self.lock_folder().await;
        let wanted = id.to_owned();
        let read = move |store: &mut Store| {
            let row = store.upload(&wanted)?;
            let others = row.as_ref().map(|row| store.uploads(Some(&row.filename))).transpose()?;
            Ok(row.zip(others))
        };
        let Some((row, others)) = self.0.readers.run(read).await? else { return Ok(false) };
        let is_last = is_last_complete(&row, &others);
        let successor = self.published().into_iter().find(|job| job.filename == row.filename).filter(|_| is_last);
        let owns_file = is_last && successor.is_none();
        if owns_file {
            let filename = row.filename.clone();
            self.in_folder(move |folder| folder.delete(&filename)).await?;
        }
        self.forget(row.id, successor).await?;
        drop(lock);
        if owns_file {
            // So that the rows are gone when the client gets its answer, unless the writer is busy for long.
            let _ = tokio::time::timeout(MAX_REMOVAL_WAIT, self.rows_gone(row.filename)).await;
        }
        Ok(true)
    }

    /// Deletes an upload's row. Its file is the backup of its `successor`, if there is one, and must not be restored any more.
    async fn forget(&self, id: String, successor: Option<Arc<Job>>) -> Result<()> {
        if let Some(successor) = &successor {
            successor.set_replaces(false);
        }
        let successor_row = successor.as_ref().map(|successor| successor.current_row());
        let forget = move |store: &mut Store| {
            store.transaction(|store| {
                successor_row.iter().try_for_each(|row| store.put_upload(row))?;
                Ok(store.delete_upload(&id)?)
            })
        };
        self.0.writer.run_first(forget).await?;
        if let Some(successor) = successor {
            let id = successor.id.clone();
            self.in_folder(move |folder| folder.delete_backup(&id)).await?;
        }
        Ok(())
    }

    /// Waits until no rows of a file are left.
    async fn rows_gone(&self, filename: String) -> Result<()> {
        let mut done = self.0.writer.done();
        loop {
            done.borrow_and_update();
            let (path, reports) = (filename.clone(), self.0.source.reports());
            if self.0.readers.run(move |store| is_unknown(store, &reports, &path)).await? {
                return Ok(());
            }
            done.changed().await?;
        }
    }

    /// Fails an upload whose file is in the folder: deletes the file, and restores the one that it replaced.
    pub(super) async fn roll_back(&self, job: &Job, why: String) -> Result<()> {
        let _lock = self.lock_folder().await;
        if !job.is_published() {
            return Ok(());
        }
        let placement = job.placement();
        self.in_folder(move |folder| folder.roll_back(&placement)).await?;
        self.finish(job, job.failed(why)).await;
        Ok(())
    }

    /// Fails an upload whose file is no longer in the folder.
    pub(super) async fn abandon(&self, job: &Job, why: &str) {
        let _lock = self.lock_folder().await;
        if job.is_published() {
            let id = job.id.clone();
            if let Err(error) = self.in_folder(move |folder| folder.delete_backup(&id)).await {
                let file = &job.filename;
                tracing::warn!(file.path = %file, "failed to delete the backup that `{file}` replaced: {error:#}");
            }
            self.finish(job, job.failed(why.to_owned())).await;
        }
    }

    /// Stores the result of an upload, and tells its subscribers. It waits for the writer first, so that a result that a
    /// client has seen survives a crash.
    pub(super) async fn finish(&self, job: &Job, status: UploadStatus) {
        let row = job.row(&status);
        if let Err(error) = self.0.writer.run_first(move |store| Ok(store.put_upload(&row)?)).await {
            // The next start finds the result again.
            let file = &job.filename;
            tracing::error!(file.path = %file, "failed to store the result of the upload of `{file}`: {error:#}");
        }
        self.close(job, status);
    }

    /// Removes an upload from those under way, and tells its subscribers the last status.
    pub(super) fn close(&self, job: &Job, status: UploadStatus) {
        if let Some(why) = &status.error {
            tracing::warn!(file.path = %job.filename, reason = %why, "the upload of `{}` failed: {why}", job.filename);
        }
        job.status.send_replace(status);
        self.jobs().remove(&job.id);
    }
}

/// Returns true if `row` is a complete upload that no later complete one has replaced.
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
