//! The answer to `GET /sense/files`: all files of one version.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    FileList, FormatSpec,
    bounds::{
        self, MAX_FORMATS, MAX_HASH_BYTES, MAX_LEFT_OUT, MAX_PATH_BYTES, MAX_TEXT_BYTES, MAX_TIME_BYTES,
        MAX_VERSION_BYTES,
    },
};

/// Lists all files of one version, or as a delta what differs from an earlier one. `Files` is a list of [`ManifestEntry`];
/// whoever only writes it may give any type that is written as such a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest<Files = Vec<ManifestEntry>> {
    /// Digest of the paths and hashes of all files and of the paths in `unreadable`.
    #[serde(deserialize_with = "bounds::short::<_, MAX_VERSION_BYTES>")]
    pub version: String,
    /// The version that a delta starts from. It is left out of a whole manifest.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "bounds::short_optional::<_, MAX_VERSION_BYTES>"
    )]
    pub since: Option<String>,
    /// Every settled file that can be read, sorted by path (bytes); in a delta only new ones, and changed ones by size, hash
    /// or `partial`.
    pub files: Files,
    /// Paths that are in `files` no longer, sorted (bytes); some may be unknown to the caller. Only a delta has it, and it is
    /// left out when empty. A path that cannot be read any more is here too: ask [`Manifest::covers_unreadable`].
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "bounds::short_texts::<_, MAX_PATH_BYTES>"
    )]
    pub removed: Vec<String>,
    /// Files and folders that exist but cannot be read, sorted by path (bytes). It is left out when empty, and sources of
    /// before it existed send none. None of these paths is in `files`; see [`Manifest::covers_unreadable`].
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "sorted")]
    pub unreadable: Vec<Unreadable>,
    /// Formats of its files, as the owner of the folder says; the first rule that matches a path counts, and a master's own
    /// settings before it. It is left out when empty.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "bounds::few::<_, FormatSpec, MAX_FORMATS>"
    )]
    pub formats: Vec<FormatSpec>,
    /// Files that the source does not offer, and why; at most one entry for each reason. For people: the version does not
    /// depend on it. It is left out when empty.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "bounds::first::<_, LeftOut, MAX_LEFT_OUT>"
    )]
    pub left_out: Vec<LeftOut>,
    /// Whether the source answers `/sense/files?since=VERSION` with a delta. Left out when false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deltas: bool,
}

/// A manifest as a master holds it.
pub type CompactManifest = Manifest<FileList>;

/// Files that a source does not offer for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// A word, as in `docs/reference/source-protocol.md`. Sources may send others.
    #[serde(deserialize_with = "bounds::cut::<_, MAX_TEXT_BYTES>")]
    pub reason: String,
    /// Number of files; a hidden folder counts as one.
    pub count: u64,
    /// The path of one of them, possibly cut.
    #[serde(deserialize_with = "bounds::cut::<_, MAX_TEXT_BYTES>")]
    pub example: String,
}

/// One file of a manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// Path relative to the source's folder, separated by `/`, UTF-8.
    #[serde(deserialize_with = "bounds::short::<_, MAX_PATH_BYTES>")]
    pub path: String,
    /// Bytes (compressed, if the file is): all on disk, or those of a partial one.
    pub size: u64,
    /// Time of the last change, RFC 3339.
    #[serde(deserialize_with = "bounds::short::<_, MAX_TIME_BYTES>")]
    pub modified: String,
    /// Hash of these bytes as `ALGORITHM:HEX`. Our sources send `blake3`; `sha256` is understood too.
    #[serde(deserialize_with = "bounds::short::<_, MAX_HASH_BYTES>")]
    pub hash: String,
    /// Whether these are the bytes up to the last complete record of a file that is being written. Left out when false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

/// A file or a folder that the source cannot read.
///
/// Its content is unknown, which is not the same as removed: a master keeps the rows that it accepted from there until the
/// path is in `files` again, or in neither list. A folder stands for every path below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// Path as in [`ManifestEntry::path`]; the path of a folder ends in `/`.
    #[serde(deserialize_with = "bounds::short::<_, MAX_PATH_BYTES>")]
    pub path: String,
    /// The system's error, for people. A change of it alone does not change the version.
    #[serde(deserialize_with = "bounds::cut::<_, MAX_TEXT_BYTES>")]
    pub error: String,
}

impl<Files> Manifest<Files> {
    /// Returns whether the source cannot read this path or a folder above it. Ask this about each known path that `files`
    /// lacks: if it is true, the path was not removed.
    #[must_use]
    pub fn covers_unreadable(&self, path: &str) -> bool {
        let is_listed =
            |path: &str| self.unreadable.binary_search_by(|unreadable| unreadable.path.as_str().cmp(path)).is_ok();
        is_listed(path) || path.match_indices('/').any(|(at, _)| is_listed(&path[..=at]))
    }
}

/// Sorts the list, since a foreign source may send any order and [`Manifest::covers_unreadable`] relies on it.
fn sorted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Unreadable>, D::Error> {
    let mut unreadable = Vec::<Unreadable>::deserialize(deserializer)?;
    unreadable.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = r#"{"version":"v","files":[]}"#;

    #[test]
    fn a_manifest_without_unreadable_paths_is_as_it_always_was() {
        let manifest: Manifest = serde_json::from_str(OLD).unwrap();
        assert_eq!((&manifest.unreadable[..], &manifest.removed[..]), (&[][..], &[][..]));
        assert_eq!((&manifest.since, manifest.deltas), (&None, false));
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
