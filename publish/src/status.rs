//! The master's JSON about an upload. Unknown members are ignored, so that a newer master may add some.

use serde::Deserialize;

/// The answer to `GET /api/v1/uploads/{id}`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct UploadStatus {
    pub(crate) state: UploadState,
    /// Bytes received so far.
    #[serde(default)]
    pub(crate) bytes: u64,
    /// Rows read so far.
    #[serde(default)]
    pub(crate) rows: u64,
    /// Share of the file that was read, where it is known.
    #[serde(default)]
    pub(crate) percent: Option<f64>,
    /// Rows that were set aside.
    #[serde(default)]
    pub(crate) rejects: u64,
    /// The reason of a failure.
    #[serde(default)]
    pub(crate) error: Option<String>,
}

/// The steps of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UploadState {
    Receiving,
    Queued,
    Processing,
    /// Its rows are committed.
    Complete,
    Failed,
    /// A step in between that only a newer master knows.
    #[serde(other)]
    Other,
}

impl UploadState {
    /// Whether no other step follows.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Complete | Self::Failed)
    }
}
