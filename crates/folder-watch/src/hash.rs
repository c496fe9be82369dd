//! Hashes files with blake3, reading and never mapping them: people cut files short while we look, which would kill a
//! process that maps them. It judges nothing: a file that changes meanwhile is reported as seen.

use std::{
    io::{self, Read},
    panic::resume_unwind,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::SystemTime,
};

use crate::{
    Shared,
    ledger::Hashed,
    look::Trouble,
    open::{is_shortage, open_file},
    snapshot::Stat,
};

/// Large enough for the system's read-ahead, small enough for two threads to weigh nothing.
const BUFFER_BYTES: usize = 512 * 1024;
/// Hashing waits for the disk half of the time, so two threads are enough to keep it busy and one core free.
const THREADS: usize = 2;

/// What hashing a path found.
#[derive(Debug)]
pub(crate) enum Hashing {
    /// Its bytes were read. Unless it was `steady`, the same from the look that made us hash it until behind its last
    /// byte, the hash may be of no content that ever was.
    Read {
        hashed: Hashed,
        steady: bool,
    },
    Vanished,
    /// It is there, but cannot be read.
    Failed {
        error: io::Error,
        looked: Stat,
    },
}

/// Hashes the files, given with their stats at the last look. Returns what was found, in no order, and whether that is all
/// of them: what was done must not be lost when the rest cannot be.
pub(crate) fn hash_all(
    root: &Path,
    files: &[(String, Stat)],
    shared: &Shared,
) -> (Vec<(String, Hashing)>, Result<(), Trouble>) {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(files.len()));
    let work = || -> Result<(), Trouble> {
        let mut buffer = vec![0; BUFFER_BYTES];
        while let Some((path, looked)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            if shared.stopping.load(Ordering::Relaxed) {
                return Err(Trouble::Stopping);
            }
            let hashing = hash_file(root, path, looked, &mut buffer, shared);
            let hashing = match hashing {
                Err(error) if is_shortage(&error) => return Err(Trouble::reading(path, error)),
                hashing => hashing.unwrap_or_else(|error| Hashing::Failed { error, looked: *looked }),
            };
            done.lock().unwrap_or_else(PoisonError::into_inner).push((path.clone(), hashing));
        }
        Ok(())
    };
    let result = thread::scope(|scope| {
        let others: Vec<_> = (1..THREADS.min(files.len())).map(|_| scope.spawn(work)).collect();
        let mine = work();
        // A panic in a thread goes on in the one that watches, whose end the server notices.
        let join = |other: thread::ScopedJoinHandle<_>| other.join().unwrap_or_else(|panic| resume_unwind(panic));
        others.into_iter().fold(mine, |result, other| result.and(join(other)))
    });
    (done.into_inner().unwrap_or_else(PoisonError::into_inner), result)
}

fn hash_file(root: &Path, path: &str, looked: &Stat, buffer: &mut [u8], shared: &Shared) -> io::Result<Hashing> {
    let began = SystemTime::now();
    let Some((mut file, stat)) = open_file(root, Path::new(path))? else { return Ok(Hashing::Vanished) };
    let mut hasher = blake3::Hasher::new();
    loop {
        // Whoever stops must not wait for a large file. What was hashed of it is of no content that ever was.
        if shared.stopping.load(Ordering::Relaxed) {
            return Ok(Hashing::Vanished);
        }
        match file.read(buffer) {
            Ok(0) => break,
            Ok(read) => {
                hasher.update(&buffer[..read]);
                shared.hashed_bytes.fetch_add(read as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let steady = stat == *looked && Stat::of(&file.metadata()?) == stat;
    let hash = format!("blake3:{}", hasher.finalize().to_hex());
    Ok(Hashing::Read { hashed: Hashed { hash, stat, began }, steady })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, path::PathBuf, sync::mpsc, time::Duration};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    /// Hashes a file after `exchange` put something else into its place, as may happen between a look and the hashing.
    fn hash_after(exchange: impl FnOnce(&Path, &Path)) -> Vec<(String, Hashing)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/a.csv");
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(&path, "1").unwrap();
        let looked = Stat::of(&fs::metadata(&path).unwrap());
        fs::rename(&path, folder.path().join("away.csv")).unwrap();
        exchange(&path, &folder.path().join("away.csv"));
        let (sender, done) = mpsc::channel();
        let root: PathBuf = folder.path().to_owned();
        std::thread::spawn(move || {
            let (done, result) = hash_all(&root, &[("sub/a.csv".to_owned(), looked)], &Shared::default());
            sender.send(result.map(|()| done))
        });
        done.recv_timeout(Duration::from_secs(20)).expect("an end of the hashing").unwrap()
    }

    #[test]
    fn what_takes_a_files_place_is_neither_waited_for_nor_followed() {
        let fifo = |path: &Path, _: &Path| mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let link = |path: &Path, away: &Path| symlink(away, path).unwrap();
        let linked_folder = |path: &Path, away: &Path| {
            let (sub, other) = (path.parent().unwrap(), away.with_file_name("other"));
            fs::rename(sub, &other).unwrap();
            fs::rename(away, other.join("a.csv")).unwrap();
            symlink(&other, sub).unwrap();
        };
        for done in [hash_after(fifo), hash_after(link), hash_after(linked_folder)] {
            assert!(matches!(&done[..], [(_, Hashing::Vanished)]), "{done:?}");
        }
    }
}
