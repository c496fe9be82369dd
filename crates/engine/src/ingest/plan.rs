//! Compares a manifest with the stored files and returns what to read, settle or remove. It does no I/O.

use std::collections::{BTreeMap, HashSet};

use tributary_protocol::{Manifest, ManifestEntry};
use tributary_store::{FileRow, FileState};

/// The difference between a manifest and what is stored of the source.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// Files to read: new, changed, or read in another way before.
    pub(crate) read: Vec<ManifestEntry>,
    /// Files that have their accepted content again, after one that was rejected or kept changing.
    pub(crate) settled: Vec<FileRow>,
    /// Files that are gone. A file that the source cannot read is not gone.
    pub(crate) removed: Vec<FileRow>,
}

/// Compares a manifest with the source's stored files, given by path. Only paths that pass `is_feed` count. `reading` is the digest of how
/// files are read now.
pub(crate) fn plan(
    manifest: &Manifest,
    is_feed: impl Fn(&str) -> bool,
    stored: &BTreeMap<String, FileRow>,
    reading: &str,
) -> Plan {
    let feeds: Vec<_> = manifest.files.iter().filter(|entry| is_feed(&entry.path)).collect();
    let listed: HashSet<&str> = feeds.iter().map(|entry| entry.path.as_str()).collect();
    let mut plan = Plan::default();
    for entry in feeds {
        let is = |hash: &Option<String>, as_read: &Option<String>| {
            hash.as_deref() == Some(&entry.hash) && as_read.as_deref() == Some(reading)
        };
        match stored.get(entry.path.as_str()) {
            Some(file) if is(&file.hash, &file.reading) => {
                if file.state != FileState::Applied {
                    plan.settled.push(file.clone());
                }
            }
            Some(file) if file.state == FileState::Rejected && is(&file.rejected_hash, &file.rejected_reading) => {}
            _ => plan.read.push(entry.clone()),
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
        let text = |pair: Option<(&str, &str)>| (pair.map(|p| p.0.to_owned()), pair.map(|p| p.1.to_owned()));
        let ((hash, reading), (rejected_hash, rejected_reading)) = (text(accepted), text(rejected));
        FileRow {
            id: 1,
            source_id: 1,
            path: path.to_owned(),
            hash,
            reading,
            size_bytes: 0,
            row_count: 0,
            offers: 0,
            rejects: 0,
            state,
            rejected_reason: rejected_hash.clone(),
            rejected_hash,
            rejected_reading,
        }
    }

    /// The manifest lists `a` with the hash `h2`; the reading is `r2`. `expect` is what the plan does with `a`.
    #[track_caller]
    fn check(stored: Option<FileRow>, expect: &str) {
        let entry = ManifestEntry { path: "a".into(), size: 1, modified: String::new(), hash: "h2".into() };
        let manifest = Manifest { version: "v".into(), files: vec![entry], unreadable: vec![] };
        let stored = stored.into_iter().map(|file| (file.path.clone(), file)).collect();
        let plan = plan(&manifest, |_| true, &stored, "r2");
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
        let by_path = stored.iter().map(|file| (file.path.clone(), file.clone())).collect();
        let manifest = Manifest { version: "v".into(), files: vec![], unreadable: vec![] };
        assert_eq!(plan(&manifest, |_| true, &by_path, "r").removed, stored);
        let unreadable = vec![Unreadable { path: "a".into(), error: "denied".into() }];
        let manifest = Manifest { unreadable, ..manifest };
        assert_eq!(plan(&manifest, |_| true, &by_path, "r").removed, stored[1..]);
        assert_eq!(plan(&manifest, |_| false, &by_path, "r").removed, stored, "it is a feed no longer");
    }
}
