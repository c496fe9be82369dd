//! Compares a manifest with the stored files and returns what to read, settle or remove. It does no I/O.

use std::collections::{BTreeMap, HashSet};

use serde_json::json;
use tributary_csv_gate::Columns;
use tributary_format_rules::{SourceFormats, rank_key};
use tributary_protocol::{FormatSpec, Manifest, ManifestEntry, Order};
use tributary_store::{FileRow, FileState};

use super::reading;

/// The difference between a manifest and what is stored of the source.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// Files to read: new, changed, or read in another way before.
    pub(crate) read: Vec<FileToRead>,
    /// Files that have their accepted content again, after one that was rejected or kept changing.
    pub(crate) settled: Vec<FileRow>,
    /// Files whose content stays and whose rank among the files of the source is another one now.
    pub(crate) reranked: Vec<FileRow>,
    /// Files that are gone. A file that the source cannot read is not gone.
    pub(crate) removed: Vec<FileRow>,
}

impl Plan {
    /// A digest of what is to be read and removed. The same plan over the same stored files gives the same version.
    pub(crate) fn digest(&self) -> String {
        let read = self.read.iter().map(|file| json!([file.entry.path, file.entry.hash, file.reading]));
        let paths = |files: &[FileRow]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
        let reranked = self.reranked.iter().map(|file| json!([file.path, file.rank_key]));
        let (read, reranked) = (read.collect::<Vec<_>>(), reranked.collect::<Vec<_>>());
        let plan = json!([read, paths(&self.settled), reranked, paths(&self.removed)]);
        blake3::hash(plan.to_string().as_bytes()).to_hex()[..32].to_owned()
    }
}

/// A file to read, and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FileToRead {
    /// The file as the manifest lists it.
    pub(crate) entry: ManifestEntry,
    /// Its format.
    pub(crate) format: FormatSpec,
    /// The digest of how it is read.
    pub(crate) reading: String,
    /// Its rank among the files of the source.
    pub(crate) rank: Rank,
}

/// The rank of a file among those of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rank {
    /// Stored with the file.
    pub(crate) key: String,
    /// Whether it is the rank of this content: it is the time of its last change.
    pub(crate) is_of_content: bool,
}

/// Compares a manifest with the source's stored files, given by path. Only paths that pass `is_feed` count. `columns` and
/// `formats` say how files are read now.
pub(crate) fn plan(
    manifest: &Manifest,
    is_feed: impl Fn(&str) -> bool,
    stored: &BTreeMap<String, FileRow>,
    (columns, formats): (&Columns, &SourceFormats),
) -> Plan {
    let feeds: Vec<_> = manifest.files.iter().filter(|entry| is_feed(&entry.path)).collect();
    let listed: HashSet<&str> = feeds.iter().map(|entry| entry.path.as_str()).collect();
    let mut plan = Plan::default();
    let plain_reading = reading(columns, &FormatSpec::default());
    for entry in feeds {
        let format = formats.spec(&entry.path);
        let is_plain = format == FormatSpec::default();
        let reading = if is_plain { plain_reading.clone() } else { reading(columns, &format) };
        let is = |hash: &Option<String>, as_read: &Option<String>| {
            hash.as_deref() == Some(&entry.hash) && as_read.as_ref() == Some(&reading)
        };
        let order = format.order.unwrap_or_default();
        let rank = Rank { key: rank_key(order, &entry.path, &entry.modified), is_of_content: order == Order::Modified };
        let ranked = |file: &FileRow| FileRow { rank_key: rank.key.clone(), ..file.clone() };
        match stored.get(entry.path.as_str()) {
            Some(file) if is(&file.hash, &file.reading) => {
                if file.state != FileState::Applied {
                    plan.settled.push(ranked(file));
                } else if file.rank_key != rank.key {
                    plan.reranked.push(ranked(file));
                }
            }
            Some(file) if file.state == FileState::Rejected && is(&file.rejected_hash, &file.rejected_reading) => {
                if file.rank_key != rank.key && !rank.is_of_content {
                    plan.reranked.push(ranked(file));
                }
            }
            _ => plan.read.push(FileToRead { entry: entry.clone(), format, reading, rank }),
        }
    }
    let is_unreadable = |path: &str| is_feed(path) && manifest.covers_unreadable(path);
    let is_gone = |file: &&FileRow| !listed.contains(file.path.as_str()) && !is_unreadable(&file.path);
    plan.removed = stored.values().filter(is_gone).cloned().collect();
    plan
}

#[cfg(test)]
mod tests {
    use tributary_protocol::Unreadable;

    use super::*;

    fn file(path: &str, accepted: Option<(&str, &str)>, rejected: Option<(&str, &str)>, state: FileState) -> FileRow {
        let now = reading(&Columns::default(), &FormatSpec::default());
        let as_read = |word: &str| if word == "r2" { now.clone() } else { word.to_owned() };
        let text = |pair: Option<(&str, &str)>| (pair.map(|p| p.0.to_owned()), pair.map(|p| as_read(p.1)));
        let ((hash, reading), (rejected_hash, rejected_reading)) = (text(accepted), text(rejected));
        FileRow {
            hash,
            reading,
            state,
            rejected_reason: rejected_hash.clone(),
            rejected_hash,
            rejected_reading,
            ..FileRow::new("products", 1, path)
        }
    }

    /// The manifest lists `a` with the hash `h2`; `r2` stands for the reading now. `expect` is what the plan does with `a`.
    #[track_caller]
    fn check(stored: Option<FileRow>, expect: &str) {
        let entry = ManifestEntry { path: "a".into(), size: 1, hash: "h2".into(), ..ManifestEntry::default() };
        let manifest = Manifest { version: "v".into(), files: vec![entry], ..Manifest::default() };
        let stored = stored.into_iter().map(|file| (file.path.clone(), file)).collect();
        let plan = plan(&manifest, |_| true, &stored, (&Columns::default(), &SourceFormats::default()));
        let did = match (plan.read.len(), plan.settled.len(), plan.removed.len()) {
            (1, 0, 0) => "read",
            (0, 1, 0) => "settled",
            (0, 0, 1) => "removed",
            (0, 0, 0) => "nothing",
            other => panic!("{other:?}"),
        };
        assert_eq!(did, expect);
    }

    #[test]
    fn each_case() {
        use FileState::{Applied, Changing, Rejected};
        check(None, "read");
        check(Some(file("a", Some(("h2", "r2")), None, Applied)), "nothing");
        check(Some(file("a", Some(("h1", "r2")), None, Applied)), "read");
        check(Some(file("a", Some(("h2", "r1")), None, Applied)), "read");
        check(Some(file("a", None, Some(("h2", "r2")), Rejected)), "nothing");
        check(Some(file("a", None, Some(("h2", "r1")), Rejected)), "read");
        check(Some(file("a", Some(("h2", "r2")), Some(("h1", "r2")), Rejected)), "settled");
        check(Some(file("a", Some(("h2", "r2")), None, Changing)), "settled");
        check(Some(file("a", Some(("h1", "r2")), None, Changing)), "read");
        check(Some(file("a", None, None, Changing)), "read");
    }

    #[test]
    fn a_file_that_is_not_listed_goes() {
        let stored = [
            file("a", Some(("h", "r")), None, FileState::Applied),
            file("b", Some(("h", "r")), None, FileState::Applied),
        ];
        let how = (&Columns::default(), &SourceFormats::default());
        let by_path = stored.iter().map(|file| (file.path.clone(), file.clone())).collect();
        let manifest = Manifest { version: "v".into(), ..Manifest::default() };
        assert_eq!(plan(&manifest, |_| true, &by_path, how).removed, stored);
        let unreadable = vec![Unreadable { path: "a".into(), error: "denied".into() }];
        let manifest = Manifest { unreadable, ..manifest };
        assert_eq!(plan(&manifest, |_| true, &by_path, how).removed, stored[1..]);
        assert_eq!(plan(&manifest, |_| false, &by_path, how).removed, stored, "it is a feed no longer");
    }
}
