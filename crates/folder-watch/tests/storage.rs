//! A folder that goes away, comes back, or is other storage.

use std::{
    fs,
    os::unix::fs::{MetadataExt, symlink},
    path::Path,
    time::Duration,
};

use tributary_folder_watch::{Folder, Options, State};

use crate::support::{SETTLE, Watched, write};

#[test]
fn a_folder_that_goes_and_comes_back_is_read_again() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("feeds");
    write(&root, "a.csv", "1");
    let folder =
        Folder::watch(&root, Options { settle: SETTLE, rescan: Duration::from_millis(50), ..Options::default() })
            .unwrap();
    let mut watched = Watched { states: folder.state(), folder, dir: outer };
    watched.holds(&[("a.csv", "1")]);
    fs::rename(&root, watched.path("away")).unwrap();
    let State::Unreadable(reason) = watched.state("unreadable", |state| matches!(state, State::Unreadable(_))) else {
        unreachable!("just matched")
    };
    assert!(reason.contains("feeds"), "{reason}");
    write(&root, "b.csv", "2");
    watched.holds(&[("b.csv", "2")]);
    write(&root, "c.csv", "3");
    watched.holds(&[("b.csv", "2"), ("c.csv", "3")]);
}

#[test]
fn other_storage_in_the_folders_place_is_an_error_and_not_the_removal_of_its_files() {
    let outer = tempfile::tempdir().unwrap();
    let Some(other) = other_device(outer.path()) else { return };
    for (path, content) in [("a.csv", "1"), ("b.csv", "2"), ("c.csv", "3")] {
        write(&outer.path().join("feeds"), path, content);
    }
    let root = outer.path().join("root");
    let lead_to = |target: &Path| {
        symlink(target, outer.path().join("new")).unwrap();
        fs::rename(outer.path().join("new"), &root).unwrap();
    };
    lead_to(&outer.path().join("feeds"));
    let options = Options { settle: SETTLE, rescan: Duration::from_millis(50), ..Options::default() };
    let folder = Folder::watch(&root, options).unwrap();
    let mut watched = Watched { states: folder.state(), folder, dir: tempfile::tempdir().unwrap() };
    watched.holds(&[("a.csv", "1"), ("b.csv", "2"), ("c.csv", "3")]);
    write(other.path(), "a.csv", "1");
    lead_to(other.path());
    let State::Unreadable(reason) = watched.state("unreadable", |state| matches!(state, State::Unreadable(_))) else {
        unreachable!("just matched")
    };
    assert!(reason.contains("another device") && reason.contains("restart"), "{reason}");
    lead_to(&outer.path().join("feeds"));
    watched.holds(&[("a.csv", "1"), ("b.csv", "2"), ("c.csv", "3")]);
    write(other.path(), "b.csv", "9");
    lead_to(other.path());
    // It holds most of the files, as the same storage under another device number does.
    watched.holds(&[("a.csv", "1"), ("b.csv", "9")]);
    write(other.path(), "d.csv", "4");
    watched.holds(&[("a.csv", "1"), ("b.csv", "9"), ("d.csv", "4")]);
}

/// Makes a folder on another device than `path`. `None` if this machine has no other one that everybody may write to.
fn other_device(path: &Path) -> Option<tempfile::TempDir> {
    let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev());
    let other = |parent: &&str| device(Path::new(parent)).is_ok_and(|other| other != device(path).unwrap());
    let mut parents = ["/dev/shm", "/tmp", "/var/tmp", "/run"].into_iter().filter(other);
    parents.find_map(|parent| tempfile::tempdir_in(parent).ok())
}
