//! What a data-source and a master say to each other: the JSON of `/sense` and `/sense/files`, the body of an error, and
//! how a path is written into a URL. It knows no HTTP library and does no I/O. The rules are in the project's contract, section 4.
#![warn(missing_docs)]

mod report;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize};

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
    /// Digest of the paths and hashes in `files` and of the paths in `unreadable`.
    pub version: String,
    /// Every settled file that can be read, sorted by path (bytes).
    pub files: Vec<ManifestEntry>,
    /// Files and folders that are there but cannot be read, sorted by path (bytes). Sources that do not know this member
    /// send none. See [`Manifest::covers_unreadable`].
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "sorted")]
    pub unreadable: Vec<Unreadable>,
}

/// A file or a folder that the source cannot read. Its content is unknown, which is not the same as removed: whoever
/// accepted rows of it before keeps them until it can be read again or is gone from both lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// As in [`ManifestEntry::path`]; the path of a folder ends in `/` and stands for everything below it.
    pub path: String,
    /// The system's reason, for people.
    pub error: String,
}

impl Manifest {
    /// Whether the source cannot read this path, or a folder above it. Such a path is never in `files`, and must not be
    /// taken for removed.
    #[must_use]
    pub fn covers_unreadable(&self, path: &str) -> bool {
        let is_listed =
            |path: &str| self.unreadable.binary_search_by(|unreadable| unreadable.path.as_str().cmp(path)).is_ok();
        is_listed(path) || path.match_indices('/').any(|(at, _)| is_listed(&path[..=at]))
    }
}

/// A foreign source may have any order, and [`Manifest::covers_unreadable`] relies on it.
fn sorted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Unreadable>, D::Error> {
    let mut unreadable = Vec::<Unreadable>::deserialize(deserializer)?;
    unreadable.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(unreadable)
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

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = r#"{"version":"v","files":[]}"#;

    #[test]
    fn a_manifest_without_unreadable_paths_is_as_it_always_was() {
        let manifest: Manifest = serde_json::from_str(OLD).unwrap();
        assert_eq!(manifest.unreadable, []);
        assert_eq!(serde_json::to_string(&manifest).unwrap(), OLD);
        assert!(!manifest.covers_unreadable("a.csv"));
    }

    #[test]
    fn unreadable_folders_cover_what_is_below_them() {
        let entry = |path: &str| format!(r#"{{"path":"{path}","error":"Permission denied"}}"#);
        let entries = ["sub/deep/", "b.csv", "a/"].map(entry).join(",");
        let manifest: Manifest =
            serde_json::from_str(&format!(r#"{{"version":"v","files":[],"unreadable":[{entries}]}}"#)).unwrap();
        assert_eq!(manifest.unreadable[0].path, "a/");
        for covered in ["b.csv", "a/x.csv", "a/x/y.csv", "sub/deep/x.csv"] {
            assert!(manifest.covers_unreadable(covered), "{covered}");
        }
        for other in ["", "a", "b", "b.csv/x.csv", "b.csv.gz", "ab.csv", "sub/x.csv", "sub/deep", "sub/deeper/x.csv"] {
            assert!(!manifest.covers_unreadable(other), "{other}");
        }
    }
}
