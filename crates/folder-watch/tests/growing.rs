//! Files that are written to for ever.

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tributary_folder_watch::{Entry, OpenError, Options};

use crate::support::{PATIENCE, Watched, hash, nth, write};

/// Long enough for a writer that has to wait for a busy machine.
const SETTLE: Duration = Duration::from_millis(200);
const MAX_SETTLE: Duration = Duration::from_millis(300);

/// Watches a folder of one file that is known and quiet.
fn watched() -> Watched {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "old.csv", "sku\nold\n");
    let (max_settle, rescan) = (MAX_SETTLE, Duration::from_secs(3600));
    let mut watched = Watched::with(dir, Options { settle: SETTLE, max_settle, rescan, ..Options::default() });
    watched.ready();
    watched
}

/// Appends to a file without a rest, half a record at a time.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    fn to(path: &Path, header: &[u8]) -> Self {
        fs::write(path, header).unwrap();
        let mut file = File::options().append(true).open(path).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let is_stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for number in 0.. {
                if is_stopped.load(Ordering::Relaxed) {
                    break;
                }
                for half in ["\"row\n".to_owned(), format!("{number}\"\n")] {
                    file.write_all(half.as_bytes()).unwrap();
                    std::thread::sleep(SETTLE / 50);
                }
            }
        });
        Self { stop, thread: Some(thread) }
    }

    fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn content(watched: &Watched, entry: &Entry) -> String {
    let mut content = String::new();
    watched.folder.open(entry).unwrap().read_to_string(&mut content).unwrap();
    content
}

/// Waits until a file is offered in part, and returns its entry.
fn partial(watched: &mut Watched) -> Entry {
    let snapshot = watched.snapshot("a part", |snapshot| snapshot.entries.iter().any(|entry| entry.is_partial));
    snapshot.entries.iter().find(|entry| entry.is_partial).unwrap().clone()
}

fn wait_until(what: &str, mut is_it: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_it() {
        assert!(began.elapsed() < PATIENCE, "{what} did not come");
        std::thread::yield_now();
    }
}

#[test]
fn a_file_that_never_rests_is_offered_up_to_its_last_complete_record() {
    let mut watched = watched();
    let path = watched.path("till.csv");
    let writer = Writer::to(&path, b"sku\n");
    let first = partial(&mut watched);
    let read = content(&watched, &first);
    assert_eq!((hash(&read), read.len() as u64), (first.hash.clone(), first.size));
    assert!(read.ends_with("\"\n"), "{read}");
    let is_more = |entry: &Entry| entry.is_partial && entry.size > first.size;
    let second = watched.snapshot("more of it", |snapshot| is_more(nth(snapshot, 1)));
    assert!(content(&watched, nth(&second, 1)).starts_with(&read));
    assert_eq!(content(&watched, &first), read, "what was offered before can still be read");
    writer.stop();
    let whole = fs::read_to_string(&path).unwrap();
    watched.holds(&[("old.csv", "sku\nold\n"), ("till.csv", &whole)]);
    watched.snapshot("the whole file", |snapshot| !nth(snapshot, 1).is_partial);
}

#[test]
fn a_part_that_was_rewritten_has_changed() {
    let mut watched = watched();
    let path = watched.path("till.csv");
    let writer = Writer::to(&path, b"sku\n");
    let entry = partial(&mut watched);
    writer.stop();
    let mut opened = watched.folder.open(&entry).unwrap();
    let mut read = [0; 4];
    opened.read_exact(&mut read).unwrap();
    assert!(opened.is_unchanged().unwrap());
    let mut rewritten = fs::read(&path).unwrap();
    rewritten[4] = b'X';
    fs::write(&path, &rewritten).unwrap();
    assert!(!opened.is_unchanged().unwrap());
    let refused = watched.folder.open(&entry).unwrap_err();
    assert!(matches!(refused, OpenError::Changed { .. }), "{refused}");
    watched.folder.check_stat(&entry).expect("a stat cannot tell");
    assert!(watched.folder.check(&entry).is_err());
    fs::write(&path, "sku\n").unwrap();
    assert!(watched.folder.check_stat(&entry).is_err(), "a shorter file is another one");
}

#[test]
fn a_file_that_is_being_rewritten_keeps_its_content_for_longer() {
    let mut watched = watched();
    let path = watched.path("old.csv");
    let writer = Writer::to(&path, b"sku,name\n");
    wait_until("a waiting file", || watched.folder.counts().waiting_files == 1);
    watched.holds(&[("old.csv", "sku\nold\n")]);
    let entry = partial(&mut watched);
    assert!(content(&watched, &entry).starts_with("sku,name\n\"row\n"));
    writer.stop();
}

#[test]
fn a_packed_file_is_not_cut() {
    let mut watched = watched();
    let path = watched.path("a.csv.gz");
    let writer = Writer::to(&path, b"\x1F\x8B");
    wait_until("a waiting file", || watched.folder.counts().waiting_files == 1);
    assert_eq!(watched.ready().entries.len(), 1);
    writer.stop();
    let snapshot = watched.snapshot("the whole file", |snapshot| snapshot.entries.len() == 2);
    assert!(!nth(&snapshot, 0).is_partial);
    wait_until("no waiting file", || watched.folder.counts().waiting_files == 0);
}

#[test]
fn a_file_that_never_rests_at_the_start_is_offered_in_part() {
    let dir = tempfile::tempdir().unwrap();
    let writer = Writer::to(&dir.path().join("till.csv"), b"sku\n");
    let mut watched = Watched::with(dir, Options { settle: SETTLE, ..Options::default() });
    let first = watched.ready();
    assert!(nth(&first, 0).is_partial);
    content(&watched, nth(&first, 0));
    writer.stop();
}
