//! Hashes files with blake3. It reads and never maps them: a file that is truncated while it is mapped kills the process. It
//! judges nothing: a file that changes meanwhile is reported as seen.

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
    index::Hashed,
    open::{is_shortage, open_file},
    scan::ScanError,
    shared::Shared,
    stat::Stat,
};

/// Large enough for the system's read-ahead, small enough for two threads not to matter.
const BUFFER_BYTES: usize = 512 * 1024;
/// Hashing waits for the disk half of the time, so two threads keep the disk busy and leave a core free.
const HASH_THREADS: usize = 2;

/// Result of hashing one path.
#[derive(Debug)]
pub(crate) enum HashOutcome {
    /// The bytes were read. `steady`: the file stayed the same from the stat that made us hash it until after its last
    /// byte. If not, the hash may be of a content that never existed.
    Read {
        hashed: Hashed,
        steady: bool,
    },
    Vanished,
    /// The file exists but cannot be read. `stat` is the one that made us hash it.
    Failed {
        error: io::Error,
        stat: Stat,
    },
}

/// Hashes files, given with the stats that made us hash them. Returns the outcomes, in no order, and whether these are all:
/// an early end must not lose finished work.
pub(crate) fn hash_all(
    root: &Path,
    files: &[(String, Stat)],
    shared: &Shared,
) -> (Vec<(String, HashOutcome)>, Result<(), ScanError>) {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(files.len()));
    let work = || -> Result<(), ScanError> {
        let mut buffer = vec![0; BUFFER_BYTES];
        while let Some((path, stat)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            if shared.is_stopping() {
                return Err(ScanError::Stopping);
            }
            let outcome = match hash_file(root, path, stat, &mut buffer, shared) {
                Err(error) if is_shortage(&error) => return Err(ScanError::reading(path, error)),
                hashed => hashed.unwrap_or_else(|error| HashOutcome::Failed { error, stat: *stat }),
            };
            done.lock().unwrap_or_else(PoisonError::into_inner).push((path.clone(), outcome));
        }
        Ok(())
    };
    let result = thread::scope(|scope| {
        let others: Vec<_> = (1..HASH_THREADS.min(files.len())).map(|_| scope.spawn(work)).collect();
        let own = work();
        // A panic continues in the watching thread, whose end the server notices.
        let join = |other: thread::ScopedJoinHandle<_>| other.join().unwrap_or_else(|panic| resume_unwind(panic));
        others.into_iter().fold(own, |result, other| result.and(join(other)))
    });
    (done.into_inner().unwrap_or_else(PoisonError::into_inner), result)
}

fn hash_file(root: &Path, path: &str, expected: &Stat, buffer: &mut [u8], shared: &Shared) -> io::Result<HashOutcome> {
    let began = SystemTime::now();
    let Some((mut file, stat)) = open_file(root, Path::new(path))? else { return Ok(HashOutcome::Vanished) };
    let mut hasher = blake3::Hasher::new();
    loop {
        // A stop must not wait for a large file. The hash of a part is never used.
        if shared.is_stopping() {
            return Ok(HashOutcome::Vanished);
        }
        match file.read(buffer) {
            Ok(0) => break,
            Ok(read) => {
                hasher.update(&buffer[..read]);
                shared.count_hashed(read);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let steady = stat == *expected && Stat::of(&file.metadata()?) == stat;
    Ok(HashOutcome::Read { hashed: Hashed::whole(text(&hasher), stat, began), steady })
}

/// Returns the hash of all that the hasher was given, as manifests have it.
pub(crate) fn text(hasher: &blake3::Hasher) -> String {
    format!("blake3:{}", hasher.finalize().to_hex())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, path::PathBuf, sync::mpsc, time::Duration};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    /// Hashes a file after `exchange` put something else in its place, as may happen between a scan and the hashing.
    fn hash_after(exchange: impl FnOnce(&Path, &Path)) -> Vec<(String, HashOutcome)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/a.csv");
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(&path, "1").unwrap();
        let stat = Stat::of(&fs::metadata(&path).unwrap());
        fs::rename(&path, folder.path().join("away.csv")).unwrap();
        exchange(&path, &folder.path().join("away.csv"));
        let (sender, done) = mpsc::channel();
        let root: PathBuf = folder.path().to_owned();
        std::thread::spawn(move || {
            let (done, result) = hash_all(&root, &[("sub/a.csv".to_owned(), stat)], &Shared::default());
            sender.send(result.map(|()| done))
        });
        done.recv_timeout(Duration::from_secs(20)).expect("an end of the hashing").unwrap()
    }

    #[test]
    fn a_replaced_file_is_neither_waited_for_nor_followed() {
        let fifo = |path: &Path, _: &Path| mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let link = |path: &Path, away: &Path| symlink(away, path).unwrap();
        let linked_folder = |path: &Path, away: &Path| {
            let (sub, other) = (path.parent().unwrap(), away.with_file_name("other"));
            fs::rename(sub, &other).unwrap();
            fs::rename(away, other.join("a.csv")).unwrap();
            symlink(&other, sub).unwrap();
        };
        for done in [hash_after(fifo), hash_after(link), hash_after(linked_folder)] {
            assert!(matches!(&done[..], [(_, HashOutcome::Vanished)]), "{done:?}");
        }
    }
}
