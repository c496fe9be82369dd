//! Files and folders that cannot be read.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use tributary_folder_watch::Snapshot;
use tributary_testkit::privileges::without_override;

use crate::support::{Watched, listed, write};

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn unreadable(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.unreadable.keys().map(String::as_str).collect()
}

#[test]
fn an_unreadable_file_or_folder_does_not_keep_the_rest_from_being_ready() {
    without_override(|| {
        let dir = tempfile::tempdir().unwrap();
        for path in ["a.csv", "b.csv", "sub/c.csv", "sub/deep/d.csv", "other/e.csv"] {
            write(dir.path(), path, "1");
        }
        permit(&dir.path().join("b.csv"), 0o000);
        permit(&dir.path().join("sub"), 0o000);
        let mut watched = Watched::start(dir, Duration::from_millis(100));
        let snapshot = watched.holds(&[("a.csv", "1"), ("other/e.csv", "1")]);
        assert_eq!(unreadable(&snapshot), ["b.csv", "sub/"]);
        assert!(snapshot.unreadable["b.csv"].contains("denied"), "{:?}", snapshot.unreadable);
        permit(&watched.path("sub"), 0o755);
        let partly =
            watched.holds(&[("a.csv", "1"), ("other/e.csv", "1"), ("sub/c.csv", "1"), ("sub/deep/d.csv", "1")]);
        assert_eq!(unreadable(&partly), ["b.csv"]);
        assert_ne!(partly.version, snapshot.version);
        permit(&watched.path("b.csv"), 0o644);
        let all = watched.snapshot("all files", |snapshot| snapshot.unreadable.is_empty());
        assert_eq!(all.entries.len(), 5);
    });
}

#[test]
fn what_becomes_unreadable_is_not_taken_for_removed() {
    without_override(|| {
        let mut watched = Watched::of(&[("a.csv", "1"), ("b.csv", "2"), ("sub/c.csv", "3")]);
        let before = watched.ready();
        permit(&watched.path("sub"), 0o000);
        permit(&watched.path("b.csv"), 0o000);
        let snapshot = watched.snapshot("both", |snapshot| snapshot.unreadable.len() == 2);
        assert_eq!((unreadable(&snapshot), listed(&snapshot).len()), (vec!["b.csv", "sub/"], 1));
        assert_ne!(snapshot.version, before.version, "a caller that waits for a change gets it");
        write(watched.dir.path(), "d.csv", "4");
        watched.holds(&[("a.csv", "1"), ("d.csv", "4")]);
        fs::remove_file(watched.path("b.csv")).unwrap();
        watched.snapshot("the removal", |snapshot| unreadable(snapshot) == ["sub/"]);
        permit(&watched.path("sub"), 0o755);
        watched.holds(&[("a.csv", "1"), ("d.csv", "4"), ("sub/c.csv", "3")]);
        // Its events arrive again: the next rescan is an hour away.
        write(watched.dir.path(), "sub/c.csv", "5");
        watched.holds(&[("a.csv", "1"), ("d.csv", "4"), ("sub/c.csv", "5")]);
    });
}
