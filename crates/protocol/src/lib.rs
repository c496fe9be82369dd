//! What a data-source and a master say to each other: the JSON of `/sense` and `/sense/files`, the body of an error, and
//! how a path is written into a URL. It knows no HTTP library and does no I/O. The rules are in the project's contract, section 4.
#![warn(missing_docs)]

mod report;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

pub use report::{Aggregate, AggregateLine, GroupLine, MetricSpec, PartialHead, ReportSpec, RowReject};

/// The answer to `GET /sense`. A source of the plain protocol sends `status` alone; then every other field is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sense {
    /// 1 if the source holds something that the caller has not read, else 0.
    pub status: u8,
    /// The manifest's version; compared for equality only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The name that the source gives itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many files the manifest lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// The sum of their sizes in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// When the version last changed, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<String>,
}

/// The answer to `GET /sense/files`: all files of one version, sorted by path (bytes).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The digest of the paths and hashes below.
    pub version: String,
    /// Every settled file of the folder; never a part of them.
    pub files: Vec<ManifestEntry>,
}

/// One file of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// Relative to the source's folder, `/`-separated, UTF-8.
    pub path: String,
    /// Size in bytes, as the file lies on disk (packed, if it is).
    pub size: u64,
    /// Time of the last modification, RFC 3339.
    pub modified: String,
    /// `ALGORITHM:HEX` of the bytes on disk; `blake3` from us, `sha256` is understood too.
    pub hash: String,
}

/// An error body, `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A short name of the kind of error, the same for every error of that kind.
    pub title: String,
    /// The HTTP status code.
    pub status: u16,
    /// What happened here and what to do about it.
    pub detail: String,
}

/// A manifest's path as it is written behind `/read/`: percent-encoded but for letters, digits, `-._~` and `/`.
#[must_use]
pub fn encoded_path(path: &str) -> String {
    const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
    utf8_percent_encode(path, &KEPT).to_string()
}

/// The media type of [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";
