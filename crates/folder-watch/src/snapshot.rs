//! The folder's content at one moment, as others see it: entries, version, state. It does no I/O.

use std::{collections::BTreeMap, fs::Metadata, sync::Arc, time::SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use tributary_protocol::{FormatSpec, Manifest, ManifestEntry, Unreadable};

use crate::{
    left_out::LeftOutFiles,
    stat::{NS_PER_SECOND, Stat},
};

/// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the first and the last second that RFC 3339 can write.
const FIRST_SECOND: i128 = -62_167_219_200;
const LAST_SECOND: i128 = 253_402_300_799;
/// Hex digits of a version: 128 bits, short enough to read aloud in a log.
const VERSION_DIGITS: usize = 32;

/// One file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path relative to the folder, separated by `/`.
    pub path: String,
    /// `blake3:` and 64 hex digits: the hash of the bytes on disk, compressed if the file is.
    pub hash: String,
    /// Bytes that were hashed.
    pub size: u64,
    /// The file's stat when it was hashed.
    pub stat: Stat,
    /// Whether these are the bytes up to the last complete record of a file that is being written.
    pub is_partial: bool,
}

impl Entry {
    /// Returns whether a file with this metadata is still as it was when it was hashed.
    #[must_use]
    pub fn is_still(&self, metadata: &Metadata) -> bool {
        metadata.is_file() && Stat::of(metadata) == self.stat
    }

    /// Returns whether a file with this stat may hold the bytes that were hashed.
    pub(crate) fn may_be(&self, stat: Stat) -> bool {
        stat == self.stat || self.is_partial && stat.ino == self.stat.ino && stat.size >= self.size
    }

    /// Returns when the content last changed. File systems carry times that no calendar knows, so this is clamped to the
    /// years 0000 to 9999, which RFC 3339 can write.
    #[must_use]
    pub fn modified(&self) -> DateTime<Utc> {
        let seconds = self.stat.mtime_ns.div_euclid(NS_PER_SECOND).clamp(FIRST_SECOND, LAST_SECOND);
        let nanoseconds = self.stat.mtime_ns.rem_euclid(NS_PER_SECOND);
        // Both fit after the clamp; 1970 would be the answer if they did not.
        let time = i64::try_from(seconds).ok().zip(u32::try_from(nanoseconds).ok());
        time.and_then(|(seconds, nanoseconds)| DateTime::from_timestamp(seconds, nanoseconds)).unwrap_or_default()
    }
}

impl From<&Entry> for ManifestEntry {
    fn from(entry: &Entry) -> Self {
        Self {
            path: entry.path.clone(),
            size: entry.size,
            modified: entry.modified().to_rfc3339_opts(SecondsFormat::AutoSi, true),
            hash: entry.hash.clone(),
            partial: entry.is_partial,
        }
    }
}

/// Every settled file of the folder at one moment, and what cannot be read; never a part of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Digest of the entries' paths and hashes, of the unreadable paths, and of the formats if there are some; compared for equality
    /// only.
    pub version: String,
    /// Files that can be read, sorted by path (bytes).
    pub entries: Vec<Entry>,
    /// Files and folders that cannot be read, and why. A folder's path ends in `/` and stands for everything below it. None
    /// of these has an entry.
    pub unreadable: BTreeMap<String, String>,
    /// Formats of the files, as the owner of the folder says.
    pub formats: Arc<[FormatSpec]>,
    /// Files that were not offered, and why, at the last scan of the whole folder.
    pub left_out: LeftOutFiles,
    /// Time of the last change of `version`, or of the first scan.
    pub changed_at: SystemTime,
}

impl Snapshot {
    /// `entries` are sorted by path.
    pub(crate) fn new(
        entries: Vec<Entry>,
        unreadable: BTreeMap<String, String>,
        formats: Arc<[FormatSpec]>,
        changed_at: SystemTime,
    ) -> Self {
        let formats_text = if formats.is_empty() { None } else { serde_json::to_string(&*formats).ok() };
        let files = entries.iter().map(|entry| (entry.path.as_str(), entry.hash.as_str()));
        // No file has an empty hash. Reasons are left out: they are for people, and may be worded differently elsewhere.
        let unreadable_files = unreadable.keys().map(|path| (path.as_str(), ""));
        // No path is empty.
        let version = version(files.chain(unreadable_files).chain(formats_text.iter().map(|text| ("", text.as_str()))));
        Self { version, entries, unreadable, formats, left_out: LeftOutFiles::default(), changed_at }
    }

    /// Returns why this path cannot be read, if it or a folder above it is unreadable.
    #[must_use]
    pub fn unreadable_reason(&self, path: &str) -> Option<&str> {
        let folders = path.match_indices('/').map(|(at, _)| &path[..=at]);
        std::iter::once(path).chain(folders).find_map(|path| self.unreadable.get(path)).map(String::as_str)
    }

    /// Returns the entry of exactly this path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Entry> {
        let found = self.entries.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok()?;
        self.entries.get(found)
    }

    /// Returns the sum of the entries' sizes in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size).sum()
    }
}

impl From<&Snapshot> for Manifest {
    fn from(snapshot: &Snapshot) -> Self {
        let unreadable = |(path, error): (&String, &String)| Unreadable { path: path.clone(), error: error.clone() };
        Self {
            version: snapshot.version.clone(),
            files: snapshot.entries.iter().map(Into::into).collect(),
            unreadable: snapshot.unreadable.iter().map(unreadable).collect(),
            formats: snapshot.formats.to_vec(),
            left_out: (&snapshot.left_out).into(),
        }
    }
}

/// State of the folder.
#[derive(Debug, Clone)]
pub enum State {
    /// The first scan is not complete.
    Scanning,
    /// The folder is known.
    Ready(Arc<Snapshot>),
    /// The folder itself cannot be read, and why. The watching thread tries again until it can.
    Unreadable(Arc<str>),
}

/// Digests paths and hashes. Each is preceded by its length, so that no two lists give the same bytes.
fn version<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut hasher = blake3::Hasher::new();
    for (path, hash) in files {
        for part in [path, hash] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    let mut hex = hasher.finalize().to_hex().to_string();
    hex.truncate(VERSION_DIGITS);
    hex
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const SECOND: i128 = NS_PER_SECOND;

    fn version_of(files: &[(&str, &str)]) -> String {
        version(files.iter().copied())
    }

    #[test]
    fn version_depends_on_paths_and_hashes_alone() {
        let one = version_of(&[("a.csv", "1"), ("b.csv", "2")]);
        assert_eq!(one, version_of(&[("a.csv", "1"), ("b.csv", "2")]));
        assert_eq!(one.len(), VERSION_DIGITS);
        for other in [
            &[][..],
            &[("a.csv", "1")],
            &[("a.csv", "2"), ("b.csv", "1")],
            &[("a.csv", "1"), ("c.csv", "2")],
            &[("a.csv1b.csv2", "")],
            &[("a.csv", "1b.csv2")],
        ] {
            assert_ne!(one, version_of(other), "{other:?}");
        }
    }

    #[test]
    fn version_of_nothing_stays_what_it_is() {
        assert_eq!(version_of(&[]), "af1349b9f5f9a1a6a0404dea36dcc949", "versions must survive an update");
    }

    #[test]
    fn version_depends_on_what_cannot_be_read_and_not_on_the_reason() {
        let snapshot = |unreadable: &[(&str, &str)]| {
            let unreadable = unreadable.iter().map(|(path, reason)| ((*path).to_owned(), (*reason).to_owned()));
            Snapshot::new(Vec::new(), unreadable.collect(), Arc::default(), UNIX_EPOCH)
        };
        let one = snapshot(&[("a.csv", "Permission denied"), ("sub/", "Input/output error")]);
        assert_eq!(one.version, snapshot(&[("a.csv", "x"), ("sub/", "y")]).version);
        for other in [&[][..], &[("a.csv", "")], &[("a.csv", ""), ("sub", "")], &[("a.csvsub/", "")]] {
            assert_ne!(one.version, snapshot(other).version, "{other:?}");
        }
        assert_eq!(one.unreadable_reason("a.csv"), Some("Permission denied"));
        assert_eq!(one.unreadable_reason("sub/deep/b.csv"), Some("Input/output error"));
        assert_eq!((one.unreadable_reason("b.csv"), one.unreadable_reason("sub")), (None, None));
    }

    #[test]
    fn version_depends_on_the_formats() {
        let with = |delimiters: &[&str]| {
            let rule = |delimiter: &&str| FormatSpec { delimiter: Some((*delimiter).into()), ..FormatSpec::default() };
            Snapshot::new(Vec::new(), BTreeMap::new(), delimiters.iter().map(rule).collect(), UNIX_EPOCH).version
        };
        assert_eq!(with(&[]), version_of(&[]));
        assert_eq!(
            [with(&[";"]), with(&["|"]), with(&[";", "|"])].iter().collect::<std::collections::BTreeSet<_>>().len(),
            3
        );
    }

    #[test]
    fn modified_reads_as_rfc_3339() {
        let check = |mtime_ns: i128, expect: &str| {
            let stat = Stat { size: 3, mtime_ns, ctime_ns: 0, ino: 1 };
            let (path, hash) = ("a.csv".to_owned(), "blake3:00".to_owned());
            let entry = Entry { path, hash, size: 3, stat, is_partial: false };
            assert_eq!(ManifestEntry::from(&entry).modified, expect);
        };
        check(0, "1970-01-01T00:00:00Z");
        check(SECOND + 500_000_000, "1970-01-01T00:00:01.500Z");
        check(-SECOND, "1969-12-31T23:59:59Z");
        check(-62_167_219_200 * SECOND, "0000-01-01T00:00:00Z");
        check(253_402_300_799 * SECOND, "9999-12-31T23:59:59Z");
        check(253_402_300_800 * SECOND, "9999-12-31T23:59:59Z");
        check(i128::from(i64::MAX) * SECOND, "9999-12-31T23:59:59Z");
        check(i128::from(i64::MIN) * SECOND, "0000-01-01T00:00:00Z");
        check(i128::MAX, "9999-12-31T23:59:59.884105727Z");
    }

    #[test]
    fn get_finds_exact_paths_only() {
        let stat = Stat { size: 3, mtime_ns: 0, ctime_ns: 0, ino: 1 };
        let entry = |path: &str| Entry { path: path.to_owned(), hash: String::new(), size: 3, stat, is_partial: false };
        let snapshot = Snapshot::new(
            vec![entry("B.csv"), entry("a.csv"), entry("a/b.csv")],
            BTreeMap::new(),
            Arc::default(),
            UNIX_EPOCH,
        );
        assert_eq!(snapshot.get("a/b.csv").map(|entry| entry.path.as_str()), Some("a/b.csv"));
        assert_eq!(snapshot.bytes(), 9);
        for other in ["", "a", "b.csv", "a/../a.csv", "/a.csv"] {
            assert_eq!(snapshot.get(other), None, "{other}");
        }
    }
}
