//! Transactions of many rows. They need a log that can be truncated if the disk becomes full, a cache of the right size, and a
//! disk that writes before the commit waits for it.

use std::{
    fs::File,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use diesel::connection::SimpleConnection;

use crate::{Error, Store, database::error::OrCannot};

/// A transaction of at least this many rows is large.
const MIN_LARGE_ROWS: usize = 50_000;
/// A transaction of at least this many rows gets the wide cache.
const MIN_WIDE_CACHE_ROWS: usize = 2_000_000;
/// The time between two early syncs of the log.
const EARLY_SYNC_INTERVAL: Duration = Duration::from_millis(20);

/// The cache of a writing connection, 32 MiB. It need not hold a large transaction: rows are written in key order, so a page that
/// has left the cache is rarely needed again, and pages that leave early are not left for the commit to write.
pub(crate) const WRITER_CACHE: &str = "PRAGMA cache_size = -32768";
/// The cache of the largest transactions, 256 MiB. A tree of millions of rows needs a few pages again after some 100 MiB. Had they
/// left the cache, SQLite would overwrite them in the log and then read the log again from there for its checksums: 0.9 s of 12 s
/// for five million rows.
const WIDE_CACHE: &str = "PRAGMA cache_size = -262144";

impl Store {
    /// As [`Store::transaction`], prepared for writing about `rows` rows.
    ///
    /// # Errors
    /// As [`Store::transaction`].
    pub fn transaction_of<T, E: From<Error>>(
        &mut self,
        rows: usize,
        f: impl FnOnce(&mut Store) -> Result<T, E>,
    ) -> Result<T, E> {
        if rows < MIN_LARGE_ROWS {
            return self.transaction(f);
        }
        // The log can only be truncated after a failure if it holds nothing else that still has to reach the database file.
        self.checkpoint()?;
        self.set_cache(if rows < MIN_WIDE_CACHE_ROWS { WRITER_CACHE } else { WIDE_CACHE })?;
        let written = self.transaction(|store| {
            let _syncing = store.sync_early();
            f(store)
        });
        let narrowed = self.set_cache(WRITER_CACHE);
        let written = written?;
        narrowed?;
        Ok(written)
    }

    fn set_cache(&mut self, pragma: &str) -> Result<(), Error> {
        self.connection.batch_execute(pragma).or_cannot(|| "set the size of the cache")
    }

    /// Syncs the write-ahead log to disk while a transaction still fills it, so that the commit waits for less. A load of 500,000
    /// rows took 1.10 s without this and 1.03 s with it. Failures are ignored here: the commit meets them again and reports them.
    fn sync_early(&self) -> EarlySync {
        let (stop, stopped) = mpsc::channel();
        let log = self.log_path();
        let sync = move || {
            // Closing a file releases all POSIX locks that the process holds on it. SQLite holds none on the log.
            let Ok(log) = File::open(log) else { return };
            while stopped.recv_timeout(EARLY_SYNC_INTERVAL) == Err(RecvTimeoutError::Timeout) && log.sync_data().is_ok()
            {
            }
        };
        let thread = thread::Builder::new().name("early sync".to_owned()).spawn(sync);
        EarlySync { stop: Some(stop), thread: thread.ok() }
    }
}

/// A thread that syncs the log until this is dropped.
struct EarlySync {
    /// Dropped to stop the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for EarlySync {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // The thread does nothing that could panic.
            let _ = thread.join();
        }
    }
}
