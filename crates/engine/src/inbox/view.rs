//! A document as its sender sees it.

use tributary_store::{DocumentRow, DocumentState};

use super::receiving::Receiving;
use crate::{count, documents::ActiveRead};

/// The stage of a document.
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
    /// A later document of its path took its place before it was read.
    Superseded,
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
            Self::Superseded => "superseded",
        }
    }

    /// Returns true if no other stage follows.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Complete | Self::Failed | Self::Superseded)
    }
}

/// A document with its progress, or its result.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// 32 hex digits.
    pub id: String,
    /// Its path in the source `uploads`.
    pub path: String,
    /// The stage.
    pub stage: Stage,
    /// Bytes of the body received so far.
    pub bytes: u64,
    /// Length of the body, once it is known.
    pub total: Option<u64>,
    /// Hash of the body, once all of it was received.
    pub hash: Option<String>,
    /// Rows read so far.
    pub rows: u64,
    /// Percentage of the file that was read; none before it is read.
    pub percent: Option<f64>,
    /// Rows that were rejected.
    pub rejects: u64,
    /// The reason for its failure.
    pub error: Option<String>,
    /// The names in the header of its file if it failed for lack of a column; else empty.
    pub header: Vec<String>,
    /// Its number among the documents of its path.
    pub sequence: Option<i64>,
    /// Time of its start, RFC 3339.
    pub created_at: String,
    /// Time of its end, RFC 3339.
    pub finished_at: Option<String>,
    /// The sender; `None`: not known.
    pub sent_by: Option<String>,
}

impl Document {
    /// A document that is being received.
    pub(super) fn receiving(receiving: &Receiving) -> Self {
        Self {
            id: receiving.id.clone(),
            path: receiving.path.clone(),
            stage: Stage::Receiving,
            bytes: receiving.bytes(),
            total: receiving.total,
            hash: None,
            rows: 0,
            percent: None,
            rejects: 0,
            error: None,
            header: Vec::new(),
            sequence: None,
            created_at: receiving.created_at.clone(),
            finished_at: None,
            sent_by: receiving.sent_by.clone(),
        }
    }

    /// Bytes of its longer texts.
    pub(super) fn text_bytes(&self) -> usize {
        self.path.len() + self.error.iter().chain(&self.header).map(String::len).sum::<usize>()
    }

    /// A stored document; `read` is the progress of reading it, if it is being read.
    pub(super) fn stored(row: DocumentRow, read: Option<&ActiveRead>) -> Self {
        let (stage, bytes) = (stage(row.state), count::loaded(row.bytes));
        let stored = Self {
            id: row.id,
            path: row.path,
            stage,
            bytes,
            total: row.hash.is_some().then_some(bytes),
            hash: row.hash,
            rows: count::loaded(row.row_count),
            percent: (stage == Stage::Complete).then_some(100.0),
            rejects: count::loaded(row.rejects),
            error: row.error,
            header: row.header.and_then(|names| serde_json::from_str(&names).ok()).unwrap_or_default(),
            sequence: row.sequence,
            created_at: row.created_at,
            finished_at: row.finished_at,
            sent_by: row.sent_by,
        };
        let Some((read, rows)) = read.filter(|_| stage == Stage::Queued).map(ActiveRead::progress) else {
            return stored;
        };
        let percent = if bytes == 0 { 100.0 } else { read as f64 / bytes as f64 * 100.0 };
        let percent = Some((percent.min(100.0) * 10.0).round() / 10.0);
        Self { stage: Stage::Processing, rows, percent, ..stored }
    }
}

pub(super) fn stage(state: DocumentState) -> Stage {
    match state {
        DocumentState::Receiving => Stage::Receiving,
        DocumentState::Queued => Stage::Queued,
        DocumentState::Complete | DocumentState::Deleted => Stage::Complete,
        DocumentState::Failed => Stage::Failed,
        DocumentState::Superseded => Stage::Superseded,
    }
}
