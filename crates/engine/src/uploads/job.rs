//! One upload that is under way, and what is known of any upload. In memory; what must outlive the process is in the table
//! `uploads`.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tributary_store::{UploadRow, UploadState};

/// Where an upload is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its body is coming in.
    Receiving,
    /// All of it is here, and nobody reads it yet.
    Queued,
    /// It is being read, or what was read is being committed.
    Processing,
    /// All that read it have committed it.
    Complete,
    /// It came to nothing.
    Failed,
}

impl Stage {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Complete => "complete",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing follows.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Complete | Self::Failed)
    }
}

/// How an upload is.
#[derive(Debug, Clone, PartialEq)]
pub struct UploadStatus {
    /// How far it is.
    pub stage: Stage,
    /// Bytes of the body so far.
    pub bytes: u64,
    /// Bytes of the body in all, once that is known.
    pub total: Option<u64>,
    /// Rows that were read so far.
    pub rows: u64,
    /// How far the reading of the file is; none while nobody reads it.
    pub percent: Option<f64>,
    /// Rows that could not be used.
    pub rejects: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// When it ended, RFC 3339.
    pub finished_at: Option<String>,
}

/// What is known of an upload.
#[derive(Debug, Clone, PartialEq)]
pub struct Upload {
    /// 32 hex digits.
    pub id: String,
    /// The name of its file.
    pub filename: String,
    /// When it began, RFC 3339.
    pub created_at: String,
    /// Its progress, or how it ended.
    pub status: UploadStatus,
}

/// What is on disk of an upload that was received as a whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    pub(crate) bytes: u64,
    /// As a manifest has it.
    pub(crate) hash: String,
}

/// An upload that is under way.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) filename: String,
    pub(crate) created_at: String,
    /// Whether it may take the place of a file.
    pub(crate) may_replace: bool,
    /// Cancelled when somebody wants it no more.
    pub(crate) cancel: CancellationToken,
    /// Set once, before its file gets its name.
    pub(crate) content: OnceLock<Content>,
    /// Whether it has taken the place of a complete upload's file, or of one that nobody has uploaded, which is kept until its end.
    /// Changed only by who holds the folder alone.
    replaces: AtomicBool,
    /// How it is, for all who follow it.
    pub(crate) status: watch::Sender<UploadStatus>,
}

impl Job {
    /// An upload whose body is going to come, of `total` bytes if that is known.
    pub(crate) fn new(id: String, filename: String, may_replace: bool, total: Option<u64>) -> Self {
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
            created_at: crate::clock::now(),
            may_replace,
            cancel: CancellationToken::new(),
            content: OnceLock::new(),
            replaces: AtomicBool::new(false),
            status: watch::Sender::new(status),
        }
    }

    /// An upload that an earlier process has received.
    pub(crate) fn stored(row: UploadRow) -> Self {
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

    /// Where it is on its way.
    pub(crate) fn stage(&self) -> Stage {
        self.status.borrow().stage
    }

    /// Whether it keeps a file that comes back if it fails.
    pub(crate) fn replaces(&self) -> bool {
        self.replaces.load(Ordering::Relaxed)
    }

    pub(crate) fn set_replaces(&self, replaces: bool) {
        self.replaces.store(replaces, Ordering::Relaxed);
    }

    /// Whether its file has its name in the folder, and is waited for.
    pub(crate) fn is_published(&self) -> bool {
        matches!(self.stage(), Stage::Queued | Stage::Processing)
    }

    /// What is known of it.
    pub(crate) fn upload(&self) -> Upload {
        Upload {
            id: self.id.clone(),
            filename: self.filename.clone(),
            created_at: self.created_at.clone(),
            status: self.status.borrow().clone(),
        }
    }

    /// How it is once it has failed.
    pub(crate) fn failed(&self, why: String) -> UploadStatus {
        let finished_at = Some(crate::clock::now());
        UploadStatus {
            stage: Stage::Failed,
            percent: None,
            error: Some(why),
            finished_at,
            ..self.status.borrow().clone()
        }
    }

    /// What is stored of it if it has this status.
    pub(crate) fn row(&self, status: &UploadStatus) -> UploadRow {
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
    fn what_is_stored_of_an_upload_is_known_again() {
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
