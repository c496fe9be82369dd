//! Reading connections that are kept open between uses.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard, TryLockError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{error::Error, store::Store, url::DatabaseUrl};

/// Connections that are kept open while nobody uses them; one more than that is closed after use. Each may hold a cache of 8 MiB.
const MAX_IDLE: usize = 8;

/// Longest wait for a moment in which nobody reads, and the interval of the tries.
const MAX_UNREAD_WAIT: Duration = Duration::from_millis(200);
const UNREAD_INTERVAL: Duration = Duration::from_millis(1);

/// Held by whoever uses a connection of a pool, and alone by [`open_anew`].
static USED: RwLock<()> = RwLock::new(());
/// All pools. Locked only to add one or to copy them.
static POOLS: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// Closes all connections of this process to a database, of pools and `writing`, and opens it again. SQLite knows its locks by process: one
/// that the system did not take back is only free once no connection is left. Waits for those who read.
///
/// # Errors
/// Those of [`Store::open`].
pub fn open_anew(url: &DatabaseUrl, writing: Store) -> Result<Store, Error> {
    let alone = USED.write().unwrap_or_else(PoisonError::into_inner);
    open_alone(url, writing, alone)
}

/// The same, unless somebody reads all the time: then `writing` is returned as it is.
///
/// # Errors
/// Those of [`Store::open`].
pub fn open_anew_if_unread(url: &DatabaseUrl, writing: Store) -> Result<Store, Error> {
    let deadline = Instant::now() + MAX_UNREAD_WAIT;
    loop {
        // Whoever begins to read meanwhile does not wait for those who read already.
        match USED.try_write() {
            Ok(alone) => return open_alone(url, writing, alone),
            Err(TryLockError::Poisoned(alone)) => return open_alone(url, writing, alone.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return Ok(writing),
            Err(TryLockError::WouldBlock) => thread::sleep(UNREAD_INTERVAL),
        }
    }
}

fn open_alone(url: &DatabaseUrl, writing: Store, _alone: RwLockWriteGuard<'_, ()>) -> Result<Store, Error> {
    let pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for pool in pools.iter().filter_map(Weak::upgrade).filter(|pool| pool.url == *url) {
        pool.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
    drop(writing);
    Store::open(url)
}

/// Connections for reading, opened when needed and kept for the next use. Clones share them. The pool does not bound how many are
/// in use at a time; the caller does.
///
/// The schema is checked once, by the first connection. So the process should hold the [`crate::Lock`] as long as it uses the pool.
#[derive(Clone)]
pub struct ReaderPool(Arc<Shared>);

struct Shared {
    url: DatabaseUrl,
    /// True once a connection has found the schema to be this program's.
    checked: AtomicBool,
    /// Guards the idle connections and since when they are idle, the longest first; held only to take some or to put one back.
    idle: Mutex<Vec<(Instant, Store)>>,
    /// Counts up when all connections are to be closed. Changed only while `idle` is locked.
    generation: AtomicU64,
}

impl ReaderPool {
    /// A pool for a database, which need not exist before the first use.
    pub fn new(url: DatabaseUrl) -> Self {
        let shared = Arc::new(Shared {
            url,
            checked: AtomicBool::new(false),
            idle: Mutex::default(),
            generation: AtomicU64::new(0),
        });
        let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(&shared));
        Self(shared)
    }

    /// Runs `f` in a [`Store::snapshot`] on an idle connection, or on a new one if there is none. Blocks the thread.
    ///
    /// # Errors
    /// The error of `f`; those of [`Store::open_existing`].
    pub fn snapshot<T, E: From<Error>>(&self, f: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        let _used = USED.read().unwrap_or_else(PoisonError::into_inner);
        let (idle, generation) = {
            let mut idle = self.idle();
            (idle.pop(), self.generation())
        };
        let mut store = match idle {
            Some((_, store)) => store,
            None => self.connect()?,
        };
        let read = store.snapshot(f)?;
        // After an error the connection's state is unknown: it was dropped, and the next reader opens another.
        let mut idle = self.idle();
        if idle.len() < MAX_IDLE && generation == self.generation() {
            idle.push((Instant::now(), store));
        }
        Ok(read)
    }

    /// Closes the connections that nobody has used for this long, and so gives the memory of their caches back. Returns how many.
    pub fn close_idle(&self, unused_for: Duration) -> usize {
        let closed: Vec<_> = {
            let mut idle = self.idle();
            // The last one used is the first one taken, so those that are not needed are in front.
            let old = idle.partition_point(|(since, _)| since.elapsed() >= unused_for);
            idle.drain(..old).collect()
        };
        closed.len()
    }

    /// Closes all connections, those that are in use once nobody uses them any more.
    pub fn close_all(&self) {
        let mut idle = self.idle();
        self.0.generation.fetch_add(1, Ordering::Relaxed);
        idle.clear();
    }

    fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Relaxed)
    }

    fn connect(&self) -> Result<Store, Error> {
        if self.0.checked.load(Ordering::Relaxed) {
            return Store::open_unchecked(&self.0.url);
        }
        let store = Store::open_existing(&self.0.url)?;
        self.0.checked.store(true, Ordering::Relaxed);
        Ok(store)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, Store)>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::mpsc::channel};

    use super::*;

    /// Files of this process at a path.
    #[cfg(target_os = "linux")]
    fn open_files(path: &std::path::Path) -> usize {
        let links = fs::read_dir("/proc/self/fd").unwrap().flatten();
        links.filter(|link| fs::read_link(link.path()).is_ok_and(|target| target == *path)).count()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_database_is_opened_anew_once_nobody_uses_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("database.db");
        let url: DatabaseUrl = path.to_str().unwrap().parse().unwrap();
        let writing = Store::open(&url).unwrap();
        let (pool, other) = (ReaderPool::new(url.clone()), ReaderPool::new(url.clone()));
        other.snapshot(|_| Ok::<_, Error>(())).unwrap();
        let (begun, begins) = channel();
        let (release, released) = channel::<()>();
        let reader = thread::spawn(move || {
            pool.snapshot(|_| {
                begun.send(()).unwrap();
                released.recv().unwrap();
                Ok::<_, Error>(())
            })
        });
        begins.recv().unwrap();
        assert_eq!(open_files(&path), 3);
        let opening = thread::spawn(move || open_anew(&url, writing).unwrap());
        thread::yield_now();
        assert!(!opening.is_finished(), "somebody reads");
        release.send(()).unwrap();
        reader.join().unwrap().unwrap();
        let mut writing = opening.join().unwrap();
        assert_eq!(open_files(&path), 1);
        writing.probe_write().unwrap();
        other.snapshot(|_| Ok::<_, Error>(())).unwrap();
    }

    /// The system may keep the lock of a reader that has ended: its connection then looks like this one, and the log grew to 430 MB.
    #[test]
    fn a_log_that_a_lost_reader_keeps_is_trimmed_once_all_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let url: DatabaseUrl = folder.path().join("database.db").to_str().unwrap().parse().unwrap();
        let (mut writing, pool) = (Store::open(&url).unwrap(), ReaderPool::new(url.clone()));
        let mut lost = pool.connect().unwrap();
        lost.connection.begin_reading().unwrap();
        lost.tally().unwrap();
        pool.idle().push((Instant::now(), lost));
        writing.probe_write().unwrap();
        assert!(!writing.trim_log(0).unwrap(), "somebody may read from it");
        let reading = |pool: &ReaderPool| {
            let (url, writing) = (url.clone(), Store::open(&url).unwrap());
            let mut opened = pool.snapshot(|_| open_anew_if_unread(&url, writing)).unwrap();
            opened.trim_log(0).unwrap()
        };
        assert!(!reading(&ReaderPool::new(url.clone())), "nothing is closed while somebody reads");
        let mut writing = open_anew_if_unread(&url, writing).unwrap();
        assert!(writing.trim_log(0).unwrap());
        assert_eq!(fs::metadata(writing.log_path()).unwrap().len(), 0);
    }
}
