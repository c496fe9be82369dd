//! How an upload ends, other than well: it is cancelled, taken back, or given up. Whoever follows it is told.

use std::time::Duration;

use anyhow::Result;
use tributary_store::{Store, UploadRow, UploadState};

use super::{Job, Stage, Status, UploadError, Uploads};
use crate::config::UPLOADS;

/// How long whoever takes a file back waits for its rows to go.
const LEAVING: Duration = Duration::from_secs(2);

impl Uploads {
    /// Cancels an upload, or takes its file away again and with that its rows. False if nobody knows it.
    ///
    /// # Errors
    /// The database or the disk fails.
    pub(crate) async fn cancel(&self, id: &str) -> Result<bool> {
        let live = self.jobs().get(id).cloned();
        if let Some(job) = live {
            job.cancel.cancel();
            let mut status = job.status.subscribe();
            tokio::select! {
                _ = status.wait_for(|status| status.stage != Stage::Receiving) => {}
                () = self.0.stop.cancelled() => {}
            }
            self.undo(&job, UploadError::Cancelled.to_string()).await?;
            return Ok(true);
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
        let is_in_place = is_in_place(&row, &others);
        if is_in_place {
            self.on_disk(move |shelf| shelf.remove(&filename)).await?;
        }
        self.0.writer.run_first(move |store| Ok(store.delete_upload(&id)?)).await?;
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
            let asked = filename.clone();
            if self.0.readers.run(move |store| Ok(store.file_of(UPLOADS, &asked)?)).await?.is_none() {
                return Ok(());
            }
            done.changed().await?;
        }
    }

    /// Ends an upload whose file is in the folder: it goes, and what it has replaced comes back.
    pub(super) async fn undo(&self, job: &Job, why: String) -> Result<()> {
        let _alone = self.alone().await;
        let Some(content) = job.content.get().filter(|_| job.is_published()) else { return Ok(()) };
        let (id, filename, replaces) = (job.id.clone(), job.filename.clone(), content.replaces);
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
    pub(super) async fn end(&self, job: &Job, status: Status) {
        let row = job.row(&status);
        if let Err(error) = self.0.writer.run_first(move |store| Ok(store.put_upload(&row)?)).await {
            // The next start finds out anew.
            tracing::error!("failed to note how the upload of `{}` has ended: {error:#}", job.filename);
        }
        self.leave(job, status);
    }

    pub(super) fn leave(&self, job: &Job, status: Status) {
        if let Some(why) = &status.error {
            tracing::warn!(file.path = %job.filename, reason = %why, "the upload of `{}` failed: {why}", job.filename);
        }
        job.status.send_replace(status);
        self.jobs().remove(&job.id);
        self.0.source.local.advances().forget(&job.filename);
    }
}

/// Whether the file in the folder is that of `row`: a complete upload which no later one has replaced.
fn is_in_place(row: &UploadRow, others: &[UploadRow]) -> bool {
    let is_later = |other: &UploadRow| match other.state {
        UploadState::Queued => true,
        UploadState::Complete => other.finished_at > row.finished_at,
        UploadState::Receiving | UploadState::Failed => false,
    };
    row.state == UploadState::Complete && !others.iter().any(|other| other.id != row.id && is_later(other))
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
    fn only_the_last_complete_upload_of_a_name_has_the_file() {
        use UploadState::{Complete, Failed, Queued, Receiving};
        let (first, last) = (row("1", Complete, Some("2026")), row("2", Complete, Some("2027")));
        let failed = row("3", Failed, Some("2028"));
        let others = [first.clone(), last.clone(), failed.clone(), row("4", Receiving, None)];
        assert!(is_in_place(&last, &others));
        assert!(!is_in_place(&first, &others));
        assert!(!is_in_place(&failed, &others));
        assert!(!is_in_place(&last, &[row("5", Queued, None)]));
    }
}
