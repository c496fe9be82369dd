//! The answer to `GET /sense`.

use serde::{Deserialize, Serialize};

use crate::bounds::{self, MAX_TEXT_BYTES, MAX_TIME_BYTES, MAX_VERSION_BYTES};

/// Says whether a source has news for the caller. A source of the plain protocol sends `status` alone; then every other field
/// is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sense {
    /// 1 if the source holds something that the caller has not read, else 0.
    pub status: u8,
    /// The manifest's version; compare it only for equality.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "bounds::short_optional::<_, MAX_VERSION_BYTES>"
    )]
    pub version: Option<String>,
    /// The source's own name.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "bounds::cut_optional::<_, MAX_TEXT_BYTES>"
    )]
    pub name: Option<String>,
    /// Number of files in the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// Sum of their sizes in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Time of the last change of the version, RFC 3339.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "bounds::short_optional::<_, MAX_TIME_BYTES>"
    )]
    pub changed_at: Option<String>,
}
