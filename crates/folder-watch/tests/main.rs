//! Watches real folders whose files are written, renamed, rewritten and removed. Rules that need no file system are tested
//! next to the code.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};
use tokio::sync::watch::Receiver;
use tributary_folder_watch::{Error, Folder, OpenError, Options, Snapshot, State};
use tributary_testkit::privileges::without_override;

const SETTLE: Duration = Duration::from_millis(60);
const PATIENCE: Duration = Duration::from_secs(20);

/// A temporary folder, watched.
struct Watched {
    folder: Folder,
    states: Receiver<State>,
    dir: tempfile::TempDir,
}

impl Watched {
    /// Watches a folder of these files, given as path and content, once it is ready.
    fn of(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in files {
            write(dir.path(), path, content);
        }
        let mut watched = Self::start(dir, Duration::from_secs(3600));
        watched.ready();
        watched
    }

    fn start(dir: tempfile::TempDir, rescan: Duration) -> Self {
        let folder = Folder::watch(dir.path(), Options { settle: SETTLE, rescan, ..Options::default() }).unwrap();
        Self { states: folder.state(), folder, dir }
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join(path)
    }

    /// Waits for a state, at most [`PATIENCE`].
    fn state(&mut self, what: &str, is_it: impl FnMut(&State) -> bool) -> State {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let waited = runtime.block_on(async {
            tokio::time::timeout(PATIENCE, self.states.wait_for(is_it)).await.map(|s| s.unwrap().clone())
        });
        waited.unwrap_or_else(|_| panic!("{what} did not come; it is {:?}", self.states.borrow()))
    }

    fn ready(&mut self) -> Arc<Snapshot> {
        self.snapshot("a snapshot", |_| true)
    }

    fn snapshot(&mut self, what: &str, mut is_it: impl FnMut(&Snapshot) -> bool) -> Arc<Snapshot> {
        let state = self.state(what, |state| matches!(state, State::Ready(snapshot) if is_it(snapshot)));
        let State::Ready(snapshot) = state else { unreachable!("just matched") };
        snapshot
    }

    /// Waits until the manifest is exactly what these contents make.
    fn holds(&mut self, files: &[(&str, &str)]) -> Arc<Snapshot> {
        let expect: Vec<(String, String)> =
            files.iter().map(|(path, content)| ((*path).to_owned(), hash(content))).collect();
        self.snapshot(&format!("a manifest of {files:?}"), |snapshot| listed(snapshot) == expect)
    }
}

fn listed(snapshot: &Snapshot) -> Vec<(String, String)> {
    snapshot.entries.iter().map(|entry| (entry.path.clone(), entry.hash.clone())).collect()
}

fn hash(content: &str) -> String {
    format!("blake3:{}", blake3::hash(content.as_bytes()).to_hex())
}

fn write(dir: &Path, path: &str, content: &str) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Sets a file's mtime, as `touch -d` does.
fn touch(path: &Path, mtime: SystemTime) {
    fs::File::options().write(true).open(path).unwrap().set_modified(mtime).unwrap();
}

#[test]
fn an_empty_folder_is_ready() {
    assert_eq!(Watched::of(&[]).ready().entries, []);
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
    let after = watched.snapshot("the new time", |snapshot| snapshot.entries[0].stat != before.entries[0].stat);
    assert_eq!((&after.version, after.changed_at), (&before.version, before.changed_at));
    watched.folder.open(&after.entries[0]).expect("the new stat is the file's");
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
fn open_refuses_what_was_not_hashed() {
    let mut watched = Watched::of(&[("a.csv", "1"), ("b.csv", "2"), ("sub/c.csv", "3")]);
    let snapshot = watched.holds(&[("a.csv", "1"), ("b.csv", "2"), ("sub/c.csv", "3")]);
    for entry in &snapshot.entries {
        watched.folder.open(entry).unwrap();
    }
    write(watched.dir.path(), "a.csv", "9");
    fs::remove_file(watched.path("b.csv")).unwrap();
    fs::rename(watched.path("sub"), watched.path("moved")).unwrap();
    write(watched.dir.path(), "elsewhere/c.csv", "3");
    symlink(watched.path("elsewhere"), watched.path("sub")).unwrap();
    for entry in &snapshot.entries {
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

#[derive(Debug, Clone)]
enum Action {
    Write(usize, u8),
    Remove(usize),
    Rename(usize, usize),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        (0..4_usize, any::<u8>()).prop_map(|(at, content)| Action::Write(at, content)),
        (0..4_usize).prop_map(Action::Remove),
        (0..4_usize, 0..4_usize).prop_map(|(from, to)| Action::Rename(from, to)),
    ]
}

const PATHS: [&str; 4] = ["a.csv", "b.csv", "sub/c.csv", "sub/d.tmp"];

fn act(dir: &Path, model: &mut BTreeMap<usize, String>, action: Action) {
    match action {
        Action::Write(at, content) => {
            let content = format!("{content:03}");
            write(dir, PATHS[at], &content);
            model.insert(at, content);
        }
        Action::Remove(at) => {
            if model.remove(&at).is_some() {
                fs::remove_file(dir.join(PATHS[at])).unwrap();
            }
        }
        Action::Rename(from, to) => {
            if let Some(content) = model.remove(&from) {
                fs::create_dir_all(dir.join("sub")).unwrap();
                fs::rename(dir.join(PATHS[from]), dir.join(PATHS[to])).unwrap();
                model.insert(to, content);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// After any changes, the manifest ends up with what the folder holds.
    #[test]
    fn the_manifest_ends_up_with_what_is_there(bursts in proptest::collection::vec(proptest::collection::vec(action(), 1..6), 1..4)) {
        let mut watched = Watched::of(&[]);
        let mut model = BTreeMap::new();
        for burst in bursts {
            for action in burst {
                act(watched.dir.path(), &mut model, action);
            }
            let expect: Vec<(&str, &str)> =
                model.iter().filter(|(at, _)| **at < 3).map(|(at, content)| (PATHS[*at], content.as_str())).collect();
            watched.holds(&expect);
        }
    }
}
