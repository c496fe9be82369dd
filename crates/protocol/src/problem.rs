//! Error bodies (RFC 9457).

use serde::{Deserialize, Serialize};

/// An error body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Short name of the kind of error, the same for every error of that kind.
    pub title: String,
    /// HTTP status code.
    pub status: u16,
    /// Explanation of this error and of how to fix it.
    pub detail: String,
}

/// Media type of [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";
