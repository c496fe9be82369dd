//! What a master says about an upload. Members that are not used here are passed over, so that a newer master may say more.

use serde::Deserialize;

/// The answer to `GET /api/v1/uploads/{id}`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Job {
    pub(crate) state: JobState,
    /// Rows that were read so far.
    #[serde(default)]
    pub(crate) rows: u64,
    /// How far the reading is, where that is known.
    #[serde(default)]
    pub(crate) percent: Option<f64>,
    /// Rows that could not be used.
    #[serde(default)]
    pub(crate) rejects: u64,
    /// Why it failed.
    #[serde(default)]
    pub(crate) error: Option<String>,
}

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JobState {
    Receiving,
    Queued,
    Processing,
    /// Its rows are committed.
    Complete,
    Failed,
    /// Something in between that a newer master knows.
    #[serde(other)]
    Other,
}

/// The answer to `POST /api/v1/uploads`.
#[derive(Debug, Deserialize)]
pub(crate) struct Accepted {
    pub(crate) id: String,
}
