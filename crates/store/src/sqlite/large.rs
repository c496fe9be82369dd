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
/// The largest file of a database that is all but empty.
const MAX_SMALL_BYTES: u64 = 4 << 20;
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
    pub(crate) fn file_transaction_of<T, E: From<Error>>(
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
        let has_log = !self.leave_log()?;
        let written = self.transaction(|store| {
            let _syncing = has_log.then(|| store.sync_early());
            f(store)
        });
        if !has_log {
            self.return_to_log();
        }
        let narrowed = self.set_cache(WRITER_CACHE).and_then(|()| self.free_cache());
        let written = written?;
        narrowed?;
        Ok(written)
    }

    /// Gives the pages of the cache back, which would stay until the end of the program: a small transaction needs few of them.
    fn free_cache(&mut self) -> Result<(), Error> {
        self.connection.batch_execute("PRAGMA shrink_memory").or_cannot(|| "free the cache")
    }

    /// As [`Store::transaction_of`], for rows that are written in the order of their table: none of its pages is needed again, so the
    /// cache may stay as small as it is.
    ///
    /// # Errors
    /// As [`Store::transaction`].
    pub(crate) fn file_transaction_in_order<T, E: From<Error>>(
        &mut self,
        rows: usize,
        f: impl FnOnce(&mut Store) -> Result<T, E>,
    ) -> Result<T, E> {
        self.file_transaction_of(rows.min(MIN_WIDE_CACHE_ROWS - 1), f)
    }

    /// Switches to a rollback journal if the database is all but empty and nobody else has it open; returns whether it did. The journal
    /// holds the old content of pages, of which there is next to none, so new ones are written once. With the log they are written to
    /// the log, read again, and written to the database: nearly half of the time that the writing of a first load takes.
    fn leave_log(&mut self) -> Result<bool, Error> {
        let size = std::fs::metadata(self.url.path()).map_or(u64::MAX, |file| file.len());
        if size > MAX_SMALL_BYTES || !self.is_catalog_empty()? {
            return Ok(false);
        }
        // Another connection keeps the log. Nothing is lost then but time, so do not wait for it.
        let left = self.without_waiting("PRAGMA journal_mode = DELETE");
        if let Err(why) = &left {
            tracing::debug!(error = %why, "a first load keeps the write-ahead log: {why}");
        }
        Ok(left.is_ok())
    }

    /// Switches back to the write-ahead log. The first time it waits for readers that came meanwhile. If one stays for too long, or the disk
    /// fails, everything works, but readers and the writer wait for each other until a later try succeeds.
    pub(super) fn return_to_log(&mut self) {
        // SQLite 3.53 keeps a transaction of its own open behind the switch, which the next one ends. A checkpoint in between would fail.
        let switch = "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; COMMIT";
        let returned =
            if self.has_left_log { self.without_waiting(switch) } else { self.connection.batch_execute(switch) };
        match &returned {
            Err(why) if !self.has_left_log => tracing::warn!(
                error = %why, "failed to switch back to the write-ahead log, which is tried again after each write: {why}"
            ),
            Err(_) => {}
            Ok(()) if self.has_left_log => tracing::info!("switched back to the write-ahead log"),
            Ok(()) => {}
        }
        self.has_left_log = returned.is_err();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that stayed, or a disk that failed, used to keep the database without its log until the next start.
    #[test]
    fn the_log_is_returned_to_once_nobody_is_in_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("database.db").to_str().unwrap().parse().unwrap();
        let mut store = Store::open(&url).unwrap();
        store.without_waiting("PRAGMA journal_mode = DELETE").unwrap();
        store.has_left_log = true;
        let mut reader = Store::open_existing(&url).unwrap();
        let held: Result<(), Error> = reader.snapshot(|reader| {
            reader.tally()?;
            store.trim_log(u64::MAX)?;
            assert!(store.has_left_log && !store.log_path().exists());
            Ok(())
        });
        held.unwrap();
        store.trim_log(u64::MAX).unwrap();
        assert!(!store.has_left_log && store.log_path().exists());
    }
}
