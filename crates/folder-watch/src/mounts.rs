//! Remembers the mount points below the folder, so that a lost one is not taken for removed files. It does no I/O.

use std::collections::BTreeMap;

use crate::{
    index::{Index, folder_above},
    place::Place,
    scan::Scan,
};

/// The last known place of each mount point below the folder. Paths end in `/`.
#[derive(Debug, Default)]
pub(crate) struct Mounts(BTreeMap<String, Place>);

impl Mounts {
    /// Compares a scan with the mount points of before, and closes in it the ones that are lost or hold other storage. One
    /// that holds at least half of its known files is taken as it is.
    pub(crate) fn check(&mut self, found: &mut Scan, index: &Index) {
        for (path, known) in &self.0 {
            if folder_above(&found.closed, path).is_some() {
                continue;
            }
            let doubt = match found.mounts.get(path) {
                Some(now) => known.doubt(*now),
                None => Some("nothing is mounted there any more"),
            };
            if let Some(doubt) = doubt.filter(|_| !index.holds_half_of(path, found)) {
                let reason = format!("{doubt}, and it lacks the known files");
                close(found, path, format!("{reason}; restore it, or restart this program to forget them"));
            }
        }
        self.0.retain(|path, _| folder_above(&found.closed, path).is_some());
        self.0.extend(found.mounts.clone());
    }

    /// Returns the mount points above this path, the outermost first.
    pub(crate) fn above<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a str, Place)> {
        path.match_indices('/').filter_map(|(at, _)| Some((&path[..=at], *self.0.get(&path[..=at])?)))
    }
}

/// Makes a folder one that cannot be read, with all that the scan found below it.
fn close(found: &mut Scan, folder: &str, reason: String) {
    found.files.retain(|path, _| !path.starts_with(folder));
    found.unreadable.retain(|path, _| !path.starts_with(folder));
    found.closed.retain(|path, _| !path.starts_with(folder));
    found.mounts.retain(|path, _| !path.starts_with(folder));
    found.closed.insert(folder.to_owned(), reason);
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant, SystemTime};

    use super::*;
    use crate::{index::Hashed, stat::Stat};

    const STAT: Stat = Stat { size: 1, mtime_ns: 0, ctime_ns: 0, ino: 1 };

    fn scan(files: &[&str], mounts: &[(&str, u64)]) -> Scan {
        let place = |dev| Place { dev, ino: 1, is_mount: true, mount: None };
        Scan {
            files: files.iter().map(|path| ((*path).to_owned(), STAT)).collect(),
            mounts: mounts.iter().map(|(path, dev)| ((*path).to_owned(), place(*dev))).collect(),
            ..Scan::default()
        }
    }

    fn knowing(files: &[&str]) -> Index {
        let mut index = Index::new(Duration::ZERO, Duration::ZERO);
        for path in files {
            let hashed = Hashed::whole("h".to_owned(), STAT, SystemTime::now());
            index.accept(path, hashed, Instant::now());
        }
        index
    }

    #[test]
    fn a_lost_mount_point_is_closed_until_it_is_back() {
        let all = ["a.csv", "sub/b.csv", "sub/c.csv", "sub/d.csv", "subtle.csv"];
        let index = knowing(&all);
        let check = |files: &[&str], mounts: &[(&str, u64)], expect: &[&str]| {
            let mut known = Mounts::default();
            known.check(&mut scan(&all, &[("sub/", 7)]), &index);
            let mut found = scan(files, mounts);
            known.check(&mut found, &index);
            assert_eq!(found.closed.keys().collect::<Vec<_>>(), expect, "{files:?} {mounts:?}");
            assert!(expect.is_empty() || !found.files.keys().any(|path| path.starts_with("sub/")));
            let mut back = scan(&all, &[("sub/", 7)]);
            known.check(&mut back, &index);
            assert_eq!((back.closed.len(), back.files.len()), (0, all.len()));
        };
        check(&["a.csv", "subtle.csv"], &[("sub/", 7)], &[]);
        check(&["a.csv", "subtle.csv"], &[], &["sub/"]);
        check(&["a.csv", "subtle.csv"], &[("sub/", 8)], &["sub/"]);
        check(&["a.csv", "sub/b.csv"], &[], &["sub/"]);
        check(&["a.csv", "sub/b.csv", "sub/c.csv"], &[("sub/", 8)], &[]);
        check(&["a.csv", "sub/b.csv", "sub/c.csv"], &[], &[]);
    }

    #[test]
    fn what_is_below_a_lost_mount_point_stays_known() {
        let index = knowing(&["sub/a.csv", "sub/deep/b.csv"]);
        let mut known = Mounts::default();
        known.check(&mut scan(&["sub/a.csv", "sub/deep/b.csv"], &[("sub/", 7), ("sub/deep/", 8)]), &index);
        for _ in 0..2 {
            let mut lost = scan(&[], &[]);
            known.check(&mut lost, &index);
            assert_eq!(lost.closed.keys().collect::<Vec<_>>(), ["sub/"]);
        }
        let mut partly = scan(&["sub/a.csv"], &[("sub/", 7)]);
        known.check(&mut partly, &index);
        assert_eq!(partly.closed.keys().collect::<Vec<_>>(), ["sub/deep/"]);
        assert_eq!(known.above("sub/deep/b.csv").map(|(path, _)| path).collect::<Vec<_>>(), ["sub/", "sub/deep/"]);
    }
}
