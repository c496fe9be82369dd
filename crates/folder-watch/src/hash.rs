//! Hashes files with blake3, reading and never mapping them: people cut files short while we look, which would kill a
//! process that maps them. It judges nothing: a file that changes meanwhile is reported as seen.

use std::{
    fs::File,
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
    look::{Trouble, is_vanished},
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
    /// This user may not read it.
    Refused(io::Error),
}

/// Hashes the files, given with their stats at the last look. Returns what was found, in no order, and whether that is all
/// of them: a file that cannot be read must not cost the work that was done for others.
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
            let hashing = hash_file(&root.join(path), looked, &mut buffer, shared);
            let hashing = hashing.map_err(|error| Trouble::reading(path, error))?;
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

fn hash_file(path: &Path, looked: &Stat, buffer: &mut [u8], shared: &Shared) -> io::Result<Hashing> {
    let began = SystemTime::now();
    let mut file = match File::open(path) {
        Err(error) if is_vanished(&error) => return Ok(Hashing::Vanished),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(Hashing::Refused(error)),
        opened => opened?,
    };
    let stat = Stat::of(&file.metadata()?);
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
