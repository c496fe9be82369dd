//! Error bodies (RFC 9457).

use serde::{Deserialize, Serialize};

use crate::bounds::{self, MAX_TEXT_BYTES};

/// An error body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Short name of the kind of error, the same for every error of that kind.
    #[serde(deserialize_with = "bounds::cut::<_, MAX_TEXT_BYTES>")]
    pub title: String,
    /// HTTP status code.
    pub status: u16,
    /// Explanation of this error and of how to fix it.
    #[serde(deserialize_with = "bounds::cut::<_, MAX_TEXT_BYTES>")]
    pub detail: String,
}

/// Media type of [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";
