//! Transactions of many rows, and what they need besides: a log that can be cut should the disk become full, a cache that suits
//! them, and a disk that is at work before the commit waits for it.

use std::{
    fs::File,
    path::PathBuf,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use diesel::connection::SimpleConnection;

use crate::{Error, Store, error::Doing};

/// Rows from which on a transaction is large.
const LARGE: usize = 50_000;
/// Rows from which on it needs the wide cache.
const HUGE: usize = 1_000_000;
/// How long the log may grow between two syncs.
const PAUSE: Duration = Duration::from_millis(20);

/// The cache of a writing connection, in KiB. It need not hold a large version: rows are written in key order, so a page that has
/// left it is hardly ever wanted again, and what it writes on the way is not left for the commit.
pub(crate) const CACHE: &str = "PRAGMA cache_size = -32768";
/// In a tree of millions of rows a few pages are wanted again after some 100 MiB. Had they left the cache, SQLite would write them
/// over where they stand in the log, and for the checksums read the whole log from there once more: 0.9 s of 12 s for five million
/// rows.
const WIDE_CACHE: &str = "PRAGMA cache_size = -262144";

impl Store {
    /// As [`Store::transaction`], for a transaction that may write so many rows.
    ///
    /// # Errors
    /// As [`Store::transaction`].
    pub fn transaction_of<T, E: From<Error>>(
        &mut self,
        rows: usize,
        f: impl FnOnce(&mut Store) -> Result<T, E>,
    ) -> Result<T, E> {
        if rows < LARGE {
            return self.transaction(f);
        }
        // Should the disk become full, the log had better have nothing in it that needs more of it: only then can it be cut.
        self.checkpoint()?;
        self.set_cache(if rows < HUGE { CACHE } else { WIDE_CACHE })?;
        let written = self.transaction(|store| {
            let _syncing = store.sync_early();
            f(store)
        });
        let narrowed = self.set_cache(CACHE);
        let written = written?;
        narrowed?;
        Ok(written)
    }

    fn set_cache(&mut self, pragma: &str) -> Result<(), Error> {
        self.connection.batch_execute(pragma).doing(|| "set the size of the cache")
    }

    /// Brings the write-ahead log to the disk while a transaction still fills it: what is there already, the commit does not wait for.
    /// A load of 500,000 rows took 1.10 s without this and 1.03 s with it. It is a help and no promise: what goes wrong here goes
    /// wrong again, and is told, when the transaction is committed.
    fn sync_early(&self) -> EarlySync {
        let (stop, stopped) = mpsc::channel();
        let log = self.log_path();
        let sync = move || {
            // No lock of SQLite's is on this file, so to open and close it here takes none away.
            let Ok(log) = File::open(log) else { return };
            while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) && log.sync_data().is_ok() {}
        };
        let thread = thread::Builder::new().name("sync early".to_owned()).spawn(sync);
        EarlySync { stop: Some(stop), thread: thread.ok() }
    }

    /// The write-ahead log of the database.
    pub(crate) fn log_path(&self) -> PathBuf {
        let mut log = self.url.path().as_os_str().to_owned();
        log.push("-wal");
        log.into()
    }
}

/// Syncs the log until it is dropped.
struct EarlySync {
    /// Closed to stop the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for EarlySync {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It does nothing that could panic.
            let _ = thread.join();
        }
    }
}
