//! One upload that is under way, and the public view of any upload. Both are in memory; the table `uploads` holds what must
//! outlive the process.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tributary_store::{UploadRow, UploadState};

use super::folder::Placement;
use crate::clock::now;

/// The stage of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its body is being received.
    Receiving,
    /// Its file is complete and waits to be read.
    Queued,
    /// Its file is being read, or its rows are being committed.
    Processing,
    /// All readers of the file have committed it.
    Complete,
    /// It failed, or was cancelled.
    Failed,
}

impl Stage {
    /// The name of the stage in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Complete => "complete",
            Self::Failed => "failed",
        }
    }

    /// Returns true if no other stage follows.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Complete | Self::Failed)
    }
}

/// The progress of an upload, or its result.
#[derive(Debug, Clone, PartialEq)]
pub struct UploadStatus {
    /// The stage.
    pub stage: Stage,
    /// Bytes of the body received so far.
    pub bytes: u64,
    /// Length of the body, once it is known.
    pub total: Option<u64>,
    /// Rows read so far.
    pub rows: u64,
    /// Percentage of the file that was read; none before it is read.
    pub percent: Option<f64>,
    /// Rows that were rejected.
    pub rejects: u64,
    /// The reason for its failure.
    pub error: Option<String>,
    /// Time of its end, RFC 3339.
    pub finished_at: Option<String>,
}

/// An upload, under way or ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Upload {
    /// 32 hex digits.
    pub id: String,
    /// The name of its file.
    pub filename: String,
    /// Time of its start, RFC 3339.
    pub created_at: String,
    /// Its progress, or its result.
    pub status: UploadStatus,
}

/// A completely received file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    pub(super) bytes: u64,
    /// Written as in a manifest.
    pub(super) hash: String,
}

/// An upload that is under way.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) filename: String,
    pub(super) created_at: String,
    /// True if it may replace a file.
    pub(super) may_replace: bool,
    /// Cancelled when a client cancels the upload.
    pub(super) cancel: CancellationToken,
    /// Set once, before the file gets its name.
    pub(super) content: OnceLock<Content>,
    /// True if it replaces a file that was applied or did not come from an upload, and keeps a backup of it until its own end.
    /// Set only under the folder lock.
    replaces: AtomicBool,
    /// Its status, for all subscribers.
    pub(super) status: watch::Sender<UploadStatus>,
}

impl Job {
    /// A new upload, whose body has `total` bytes if that is known.
    pub(super) fn new(id: String, filename: String, may_replace: bool, total: Option<u64>) -> Self {
        let status = UploadStatus {
            stage: Stage::Receiving,
            bytes: 0,
            total,
            rows: 0,
            percent: None,
            rejects: 0,
            error: None,
            finished_at: None,
        };
        Self {
            id,
            filename,
            created_at: now(),
            may_replace,
            cancel: CancellationToken::new(),
            content: OnceLock::new(),
            replaces: AtomicBool::new(false),
            status: watch::Sender::new(status),
        }
    }

    /// An upload that an earlier process received.
    pub(super) fn stored(row: UploadRow) -> Self {
        let content = OnceLock::new();
        if let Some(hash) = row.hash.clone() {
            let _ = content.set(Content { bytes: unsigned(row.bytes), hash });
        }
        let replaces = AtomicBool::new(row.replaces);
        let Upload { id, filename, created_at, status } = row.into();
        let status = watch::Sender::new(status);
        Self {
            id,
            filename,
            created_at,
            may_replace: true,
            cancel: CancellationToken::new(),
            content,
            replaces,
            status,
        }
    }

    pub(super) fn stage(&self) -> Stage {
        self.status.borrow().stage
    }

    /// Returns true if it keeps a backup, which is restored if it fails.
    pub(super) fn replaces(&self) -> bool {
        self.replaces.load(Ordering::Relaxed)
    }

    pub(super) fn set_replaces(&self, replaces: bool) {
        self.replaces.store(replaces, Ordering::Relaxed);
    }

    /// Returns true if its file has its name in the folder and is not fully applied yet.
    pub(super) fn is_published(&self) -> bool {
        matches!(self.stage(), Stage::Queued | Stage::Processing)
    }

    /// Its public view.
    pub(super) fn upload(&self) -> Upload {
        Upload {
            id: self.id.clone(),
            filename: self.filename.clone(),
            created_at: self.created_at.clone(),
            status: self.status.borrow().clone(),
        }
    }

    /// Its status after it fails with this reason.
    pub(super) fn failed(&self, why: String) -> UploadStatus {
        let finished_at = Some(now());
        UploadStatus {
            stage: Stage::Failed,
            percent: None,
            error: Some(why),
            finished_at,
            ..self.status.borrow().clone()
        }
    }

    /// Its file and the name of that file.
    pub(super) fn placement(&self) -> Placement {
        Placement { id: self.id.clone(), filename: self.filename.clone(), replaces: self.replaces() }
    }

    /// Its table row with its current status.
    pub(super) fn current_row(&self) -> UploadRow {
        self.row(&self.status.borrow())
    }

    /// Its table row with this status.
    pub(super) fn row(&self, status: &UploadStatus) -> UploadRow {
        let content = self.content.get();
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        UploadRow {
            id: self.id.clone(),
            filename: self.filename.clone(),
            state: match status.stage {
                Stage::Receiving => UploadState::Receiving,
                Stage::Queued | Stage::Processing => UploadState::Queued,
                Stage::Complete => UploadState::Complete,
                Stage::Failed => UploadState::Failed,
            },
            bytes: signed(status.bytes),
            hash: content.map(|content| content.hash.clone()),
            replaces: self.replaces(),
            row_count: signed(status.rows),
            rejects: signed(status.rejects),
            error: status.error.clone(),
            created_at: self.created_at.clone(),
            finished_at: status.finished_at.clone(),
        }
    }
}

impl From<UploadRow> for Upload {
    fn from(row: UploadRow) -> Self {
        let UploadRow { id, filename, state, bytes, hash, row_count, rejects, error, created_at, finished_at, .. } =
            row;
        let stage = match state {
            UploadState::Receiving => Stage::Receiving,
            UploadState::Queued => Stage::Queued,
            UploadState::Complete => Stage::Complete,
            UploadState::Failed => Stage::Failed,
        };
        let status = UploadStatus {
            stage,
            bytes: unsigned(bytes),
            total: hash.map(|_| unsigned(bytes)),
            rows: unsigned(row_count),
            percent: (stage == Stage::Complete).then_some(100.0),
            rejects: unsigned(rejects),
            error,
            finished_at,
        };
        Self { id, filename, created_at, status }
    }
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_survives_its_table_row() {
        let job = Job::new("0".repeat(32), "a.csv".into(), false, Some(9));
        job.content.set(Content { bytes: 9, hash: "blake3:00".into() }).unwrap();
        job.set_replaces(true);
        let status = UploadStatus { stage: Stage::Processing, bytes: 9, rows: 5, ..job.upload().status };
        let row = job.row(&status);
        assert_eq!(row.state, UploadState::Queued);
        let again = Job::stored(row);
        assert_eq!(again.content, job.content);
        assert_eq!(again.upload().status, UploadStatus { stage: Stage::Queued, ..status });
        assert!(again.replaces() && again.is_published() && !job.is_published());
    }
}
