//! Files that come, change and go.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};
use tributary_folder_watch::{Error, Folder, OpenError, Options};

use crate::support::{PATIENCE, SETTLE, Watched, listed, nth, write};

/// Sets a file's mtime, as `touch -d` does.
fn touch(path: &Path, mtime: SystemTime) {
    fs::File::options().write(true).open(path).unwrap().set_modified(mtime).unwrap();
}

#[test]
fn an_empty_folder_is_ready() {
    assert!(Watched::of(&[]).ready().entries.is_empty());
}

#[test]
fn a_path_that_is_not_a_folder_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.csv", "");
    let gone = Folder::watch(&dir.path().join("gone"), Options::default()).unwrap_err();
    assert!(matches!(&gone, Error::Unreachable { .. }) && gone.to_string().contains("gone"), "{gone}");
    let file = Folder::watch(&dir.path().join("a.csv"), Options::default()).unwrap_err();
    assert!(matches!(file, Error::NotAFolder { .. }), "{file}");
}

#[test]
fn same_content_same_version_in_any_folder() {
    let files = [("a.csv", "sku,name\n"), ("sub/b.csv", "x")];
    let mut one = Watched::of(&files);
    let mut other = Watched::of(&[("sub/b.csv", "x"), ("other.json", "{}"), ("a.csv", "sku,name\n")]);
    assert_eq!(one.holds(&files).version, other.holds(&files).version);
}

#[test]
fn changes_of_all_kinds_are_seen() {
    let mut watched = Watched::of(&[("a.csv", "1")]);
    write(watched.dir.path(), "new/deep/b.csv", "2");
    watched.holds(&[("a.csv", "1"), ("new/deep/b.csv", "2")]);
    write(watched.dir.path(), "a.csv", "3");
    watched.holds(&[("a.csv", "3"), ("new/deep/b.csv", "2")]);
    write(watched.dir.path(), "c.csv.part", "4");
    fs::rename(watched.path("c.csv.part"), watched.path("c.csv")).unwrap();
    watched.holds(&[("a.csv", "3"), ("c.csv", "4"), ("new/deep/b.csv", "2")]);
    fs::rename(watched.path("new"), watched.path("other")).unwrap();
    watched.holds(&[("a.csv", "3"), ("c.csv", "4"), ("other/deep/b.csv", "2")]);
    fs::rename(watched.path("other"), watched.path(".other")).unwrap();
    fs::remove_file(watched.path("a.csv")).unwrap();
    symlink(watched.path("c.csv"), watched.path("a.csv")).unwrap();
    watched.holds(&[("c.csv", "4")]);
}

#[test]
fn a_rename_is_one_new_version() {
    let mut watched = Watched::of(&[("a.csv", "1"), ("b.csv", "2")]);
    let before = watched.ready().version.clone();
    let mut seen = Vec::new();
    fs::rename(watched.path("a.csv"), watched.path("c.csv")).unwrap();
    watched.snapshot("the renamed file", |snapshot| {
        seen.push(listed(snapshot).into_iter().map(|(path, _)| path).collect::<Vec<_>>());
        snapshot.version != before
    });
    assert_eq!(seen.last().unwrap(), &["b.csv", "c.csv"]);
}

#[test]
fn touching_makes_no_new_version() {
    let mut watched = Watched::of(&[("a.csv", "1")]);
    let before = watched.ready();
    touch(&watched.path("a.csv"), SystemTime::UNIX_EPOCH + Duration::from_secs(86_400));
    let after = watched.snapshot("the new time", |snapshot| nth(snapshot, 0).stat != nth(&before, 0).stat);
    assert_eq!((&after.version, after.changed_at), (&before.version, before.changed_at));
    watched.folder.open(nth(&after, 0)).expect("the new stat is the file's");
}

#[test]
fn a_rewrite_that_the_stat_hides_is_found() {
    // Same size and inode, written within a few clock ticks of the hashing: whatever the stats were, the last content
    // must come out, and without a rescan, which is an hour away here.
    let mut watched = Watched::of(&[("a.csv", "0000")]);
    for round in 1..=5 {
        watched.holds(&[("a.csv", &format!("{:04}", round - 1))]);
        write(watched.dir.path(), "a.csv", &format!("{round:04}"));
    }
    watched.holds(&[("a.csv", "0005")]);
}

#[test]
fn a_fresh_file_is_hashed_a_second_time() {
    let mut watched = Watched::of(&[("a.csv", "12345")]);
    watched.ready();
    let began = std::time::Instant::now();
    while watched.folder.counts().hashed_bytes < 10 {
        assert!(began.elapsed() < PATIENCE, "hashed {} bytes only", watched.folder.counts().hashed_bytes);
        std::thread::yield_now();
    }
}

#[test]
fn a_file_that_never_rests_at_the_start_is_taken_as_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "log.csv", "begin");
    let path = dir.path().join("log.csv");
    let mut watched = Watched::start(dir, Duration::from_secs(3600));
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writer = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                fs::write(&path, "more").unwrap();
                std::thread::yield_now();
            }
        }
    });
    let first = watched.ready();
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
    assert_eq!(first.entries.len(), 1, "leaving it out would drop its rows");
    watched.holds(&[("log.csv", "more")]);
}

#[test]
fn open_refuses_what_was_not_hashed() {
    let mut watched = Watched::of(&[("a.csv", "1"), ("b.csv", "2"), ("sub/c.csv", "3")]);
    let snapshot = watched.holds(&[("a.csv", "1"), ("b.csv", "2"), ("sub/c.csv", "3")]);
    for entry in snapshot.entries.iter() {
        watched.folder.open(entry).unwrap();
    }
    write(watched.dir.path(), "a.csv", "9");
    fs::remove_file(watched.path("b.csv")).unwrap();
    fs::rename(watched.path("sub"), watched.path("moved")).unwrap();
    write(watched.dir.path(), "elsewhere/c.csv", "3");
    symlink(watched.path("elsewhere"), watched.path("sub")).unwrap();
    for entry in snapshot.entries.iter() {
        let refused = watched.folder.open(entry).unwrap_err();
        assert!(matches!(refused, OpenError::Changed { .. }), "{refused}");
    }
}

#[test]
fn a_fifo_in_a_files_place_stops_nothing() {
    let mut watched = Watched::of(&[("a.csv", "1"), ("b.csv", "2")]);
    let fifo = watched.path("a.fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    // Exchanged all the time, so that the file is sometimes seen and the FIFO then opened.
    for round in 0..2000 {
        renameat_with(CWD, &fifo, CWD, watched.path("a.csv"), RenameFlags::EXCHANGE).unwrap();
        if round % 100 == 0 {
            std::thread::sleep(SETTLE / 10);
        }
    }
    watched.holds(&[("a.csv", "1"), ("b.csv", "2")]);
    renameat_with(CWD, &fifo, CWD, watched.path("a.csv"), RenameFlags::EXCHANGE).unwrap();
    watched.holds(&[("b.csv", "2")]);
    write(watched.dir.path(), "c.csv", "3");
    watched.holds(&[("b.csv", "2"), ("c.csv", "3")]);
}

#[test]
fn notes_are_left_out_until_they_are_tables() {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in [("README.txt", "Ask the warehouse.\n"), ("sub/licence.txt", "sku,name\n"), ("~$a.csv", "x")]
    {
        write(dir.path(), path, content);
    }
    let mut watched = Watched::with(dir, Options { settle: SETTLE, skip_notes: true, ..Options::default() });
    watched.holds(&[("sub/licence.txt", "sku,name\n")]);
    write(watched.dir.path(), "README.txt", "sku;name\n");
    watched.holds(&[("README.txt", "sku;name\n"), ("sub/licence.txt", "sku,name\n")]);
    write(watched.dir.path(), "README.txt", "Ask the boss.\n");
    watched.holds(&[("sub/licence.txt", "sku,name\n")]);
}
