//! The folder's content at one moment, as others see it: entries, version, state. It does no I/O.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::Metadata,
    sync::Arc,
    time::SystemTime,
};

use chrono::{DateTime, SecondsFormat, Utc};
use tributary_protocol::{FormatSpec, Manifest, ManifestEntry, Unreadable};

use crate::{
    entries::{Entries, digest_pairs},
    history::History,
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

    /// Returns whether an entry of the same path differs from this one in its times at most.
    pub(crate) fn is_same_content(&self, other: &Self) -> bool {
        (&self.hash, self.size, self.is_partial) == (&other.hash, other.size, other.is_partial)
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
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Digest of the entries' paths and hashes, of the unreadable paths, and of the formats if there are some; compared for equality
    /// only.
    pub version: String,
    /// Files that can be read, sorted by path (bytes).
    pub entries: Entries,
    /// Files and folders that cannot be read, and why. A folder's path ends in `/` and stands for everything below it. None
    /// of these has an entry.
    pub unreadable: BTreeMap<String, String>,
    /// Formats of the files, as the owner of the folder says.
    pub formats: Arc<[FormatSpec]>,
    /// Files that were not offered, and why, at the last scan of the whole folder.
    pub left_out: LeftOutFiles,
    /// Time of the last change of `version`, or of the first scan.
    pub changed_at: SystemTime,
    /// The versions before this one.
    history: History,
}

impl Snapshot {
    /// A snapshot that follows no other.
    pub(crate) fn new(
        entries: Entries,
        unreadable: BTreeMap<String, String>,
        formats: Arc<[FormatSpec]>,
        changed_at: SystemTime,
    ) -> Self {
        let version = version(&entries, &unreadable, &formats);
        let (left_out, history) = (LeftOutFiles::default(), History::default());
        Self { version, entries, unreadable, formats, left_out, changed_at, history }
    }

    /// Makes this the snapshot that follows `last`.
    pub(crate) fn follow(&mut self, last: &Self) {
        self.history = last.history.clone();
        let changed = last.entries.differing(&self.entries);
        let is_same_version = self.version == last.version;
        if is_same_version {
            self.changed_at = last.changed_at;
        }
        // A file may become whole or partial while its content stays.
        if !is_same_version || !changed.is_empty() {
            self.history.push(last.version.clone(), changed);
        }
    }

    /// Returns why this path cannot be read, if it or a folder above it is unreadable.
    #[must_use]
    pub fn unreadable_reason(&self, path: &str) -> Option<&str> {
        let folders = path.match_indices('/').map(|(at, _)| &path[..=at]);
        std::iter::once(path).chain(folders).find_map(|path| self.unreadable.get(path)).map(String::as_str)
    }

    /// Returns the manifest's entry of exactly this path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Returns the whole manifest, except for its files: those come page by page, however many they are.
    #[must_use]
    pub fn manifest_frame(&self) -> Manifest {
        self.manifest_of(Vec::new())
    }

    /// Returns up to `limit` files of the manifest, from the path `from` on, and the path of the next one.
    #[must_use]
    pub fn manifest_page(&self, from: &str, limit: usize) -> (Vec<ManifestEntry>, Option<String>) {
        let mut entries = self.entries.from(from);
        let page = entries.by_ref().take(limit).map(ManifestEntry::from).collect();
        (page, entries.next().map(|next| next.path.clone()))
    }

    /// Returns what makes the manifest of the version `since` this one; `None` if that version is not remembered.
    #[must_use]
    pub fn delta(&self, since: &str) -> Option<Manifest> {
        let paths = match self.history.since(since) {
            None if since == self.version => BTreeSet::new(),
            paths => paths?,
        };
        let files = paths.iter().filter_map(|path| self.get(path)).map(ManifestEntry::from).collect();
        let removed = paths.iter().filter(|path| self.get(path).is_none()).map(|path| (*path).to_owned()).collect();
        Some(Manifest { since: Some(since.to_owned()), removed, ..self.manifest_of(files) })
    }

    fn manifest_of<Files>(&self, files: Files) -> Manifest<Files> {
        let unreadable = |(path, error): (&String, &String)| Unreadable { path: path.clone(), error: error.clone() };
        Manifest {
            version: self.version.clone(),
            since: None,
            files,
            removed: Vec::new(),
            unreadable: self.unreadable.iter().map(unreadable).collect(),
            formats: self.formats.to_vec(),
            left_out: (&self.left_out).into(),
            deltas: true,
        }
    }
}

impl From<&Snapshot> for Manifest {
    fn from(snapshot: &Snapshot) -> Self {
        snapshot.manifest_of(snapshot.entries.iter().map(Into::into).collect())
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

fn version(entries: &Entries, unreadable: &BTreeMap<String, String>, formats: &[FormatSpec]) -> String {
    let files = entries.digest().map(|digest| digest.to_hex());
    let formats = if formats.is_empty() { None } else { serde_json::to_string(formats).ok() };
    // No path is empty, and the text of formats is no digest.
    let own = files.iter().map(|digest| ("", digest.as_str())).chain(formats.iter().map(|text| ("", text.as_str())));
    // Reasons are left out: they are for people, and may be worded differently elsewhere.
    let unreadable = unreadable.keys().map(|path| (path.as_str(), ""));
    digest_pairs(own.chain(unreadable)).to_hex()[..VERSION_DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const SECOND: i128 = NS_PER_SECOND;

    fn entry(path: &str, hash: &str) -> Entry {
        let stat = Stat { size: 3, mtime_ns: 0, ctime_ns: 0, ino: 1 };
        Entry { path: path.to_owned(), hash: hash.to_owned(), size: 3, stat, is_partial: false }
    }

    fn version_of(files: &[(&str, &str)]) -> String {
        let entries = files.iter().map(|(path, hash)| entry(path, hash)).collect();
        Snapshot::new(entries, BTreeMap::new(), Arc::default(), UNIX_EPOCH).version
    }

    #[test]
    fn version_depends_on_paths_and_hashes_alone() {
        let one = version_of(&[("a.csv", "1"), ("b.csv", "2")]);
        assert_eq!(one, version_of(&[("b.csv", "2"), ("a.csv", "1")]));
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
    fn versions_stay_what_they_are() {
        let why = "versions must survive an update";
        assert_eq!(version_of(&[]), "af1349b9f5f9a1a6a0404dea36dcc949", "{why}");
        assert_eq!(version_of(&[("a.csv", "1"), ("b.csv", "2")]), "2529b836170692cac92272ef90660fcb", "{why}");
    }

    #[test]
    fn version_depends_on_what_cannot_be_read_and_not_on_the_reason() {
        let snapshot = |unreadable: &[(&str, &str)]| {
            let unreadable = unreadable.iter().map(|(path, reason)| ((*path).to_owned(), (*reason).to_owned()));
            Snapshot::new(Entries::default(), unreadable.collect(), Arc::default(), UNIX_EPOCH)
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
            Snapshot::new(Entries::default(), BTreeMap::new(), delimiters.iter().map(rule).collect(), UNIX_EPOCH)
                .version
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
            let entry = Entry { stat, ..entry("a.csv", "1") };
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
    fn a_delta_lists_what_changed_since_a_version() {
        let snapshot = |entries: Vec<Entry>| {
            Snapshot::new(entries.into_iter().collect(), BTreeMap::new(), Arc::default(), UNIX_EPOCH)
        };
        let first = snapshot(vec![entry("a.csv", "1"), entry("b.csv", "1"), entry("c.csv", "1")]);
        let mut touched = snapshot(first.entries.iter().cloned().collect());
        touched.entries.insert(Entry { stat: Stat { mtime_ns: 1, ..entry("a.csv", "1").stat }, ..entry("a.csv", "1") });
        touched.follow(&first);
        let mut last = snapshot(vec![entry("a.csv", "1"), entry("b.csv", "2"), entry("d.csv", "1")]);
        last.follow(&touched);
        let delta = last.delta(&first.version).expect("the version is remembered");
        let files: Vec<&str> = delta.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!((&files[..], &delta.removed[..]), (&["b.csv", "d.csv"][..], &["c.csv".to_owned()][..]));
        assert_eq!((delta.since, delta.version), (Some(first.version.clone()), last.version.clone()));
        let empty = last.delta(&last.version).expect("the version is this one");
        assert_eq!((empty.files, empty.removed, empty.since), (vec![], vec![], Some(last.version.clone())));
        assert_eq!((last.delta("").is_none(), first.delta(&last.version).is_none()), (true, true));
    }

    #[test]
    fn a_delta_lists_a_file_that_became_whole_without_a_new_version() {
        let of = |is_partial| {
            let entries = [Entry { is_partial, ..entry("a.csv", "1") }].into_iter().collect();
            Snapshot::new(entries, BTreeMap::new(), Arc::default(), UNIX_EPOCH)
        };
        let (part, mut whole) = (of(true), of(false));
        whole.follow(&part);
        assert_eq!(part.version, whole.version);
        assert_eq!(whole.delta(&part.version).unwrap().files.len(), 1);
    }

    #[test]
    fn a_whole_manifest_is_written_as_it_is_read() {
        let snapshot = Snapshot::new(
            [entry("a.csv", "1"), Entry { is_partial: true, ..entry("b.csv", "2") }].into_iter().collect(),
            [("c.csv".to_owned(), "denied".to_owned())].into(),
            [FormatSpec { delimiter: Some(";".into()), ..FormatSpec::default() }].into(),
            UNIX_EPOCH,
        );
        let mut manifest = snapshot.manifest_frame();
        let mut next = Some(String::new());
        while let Some(from) = next {
            let (files, rest) = snapshot.manifest_page(&from, 1);
            assert_eq!(files.len(), 1);
            manifest.files.extend(files);
            next = rest;
        }
        assert_eq!(manifest, Manifest::from(&snapshot));
        let text = serde_json::to_string(&manifest).unwrap();
        assert!(text.ends_with(r#""deltas":true}"#) && !text.contains("since") && !text.contains("removed"), "{text}");
    }
}
