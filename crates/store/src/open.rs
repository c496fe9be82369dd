//! Opening a database: for writing, which sets it up, or for reading, which changes nothing.

use std::path::Path;

use diesel::connection::SimpleConnection;

use crate::{DatabaseUrl, Error, Store, connection::BUSY_TIMEOUT, error::Doing, large::CACHE, migrate};

/// The settings of a writing connection, in an order that matters: the page size counts only before the file is
/// created, which `journal_mode` does. Pages of 8 KiB make the tables' trees flatter; `synchronous = FULL` lets what was reported as applied outlive a power cut.
const WRITER_PRAGMAS: &[&str] = &[
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    CACHE,
    "PRAGMA temp_store = MEMORY",
];

/// The settings of a reading connection.
const READER_PRAGMAS: &[&str] = &["PRAGMA cache_size = -65536", "PRAGMA temp_store = MEMORY"];

impl Store {
    /// Opens the database for writing, creates it if it is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// Everything that keeps the file from being a writable database with a schema that this program knows.
    pub fn open(url: &DatabaseUrl) -> Result<Store, Error> {
        let path = url.path();
        if path.is_dir() {
            return Err(Error::IsFolder { path: path.to_owned() });
        }
        if !folder_of(path).is_dir() {
            return Err(Error::NoFolder { path: path.to_owned() });
        }
        let mut store = Store::connect(url, "rwc", WRITER_PRAGMAS)?;
        migrate::bring_up_to_date(&mut store, path)?;
        Ok(store)
    }

    /// Opens the database for reading only. It never creates, migrates or changes anything, and works while another
    /// process writes.
    ///
    /// # Errors
    /// [`Error::Missing`] without a file, [`Error::NotADatabase`], [`Error::NotSetUp`], [`Error::OlderSchema`] and
    /// [`Error::NewerSchema`] with another one than ours.
    pub fn open_existing(url: &DatabaseUrl) -> Result<Store, Error> {
        let path = url.path();
        if path.is_dir() {
            return Err(Error::IsFolder { path: path.to_owned() });
        }
        if !path.exists() {
            return Err(Error::Missing { path: path.to_owned() });
        }
        let mut store = Store::connect(url, "ro", READER_PRAGMAS)?;
        migrate::check(&mut store, path)?;
        Ok(store)
    }

    /// Another connection to the same database, as [`Store::open_existing`] gives it: what this one has not committed is not
    /// seen there.
    ///
    /// # Errors
    /// As [`Store::open_existing`].
    pub fn reader(&self) -> Result<Store, Error> {
        Store::open_existing(&self.url)
    }

    /// Brings what the write-ahead log holds into the database file, as far as no reader needs it there.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub(crate) fn checkpoint(&mut self) -> Result<(), Error> {
        self.connection.batch_execute("PRAGMA wal_checkpoint(PASSIVE)").doing(|| "empty the write-ahead log")
    }

    /// Gives the disk back what the write-ahead log holds beyond `most` bytes, if nobody reads from it just now: a large
    /// transaction, above all one that failed on a full disk, leaves a file of its own size behind, which is used again
    /// but never shrinks.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn trim_log(&mut self, most: u64) -> Result<(), Error> {
        if std::fs::metadata(self.log_path()).is_ok_and(|log| log.len() > most) {
            // Without waiting: a reader may take long, and the writer has others to serve.
            let trimmed = self.connection.batch_execute("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)");
            let waiting = self.connection.batch_execute(BUSY_TIMEOUT);
            trimmed.and(waiting).doing(|| "trim the write-ahead log")?;
        }
        Ok(())
    }

    /// Whether [`Store::open`] would change anything: the database is not there, or lacks migrations. Changes nothing
    /// itself.
    ///
    /// # Errors
    /// As [`Store::open_existing`], but for the answers themselves.
    pub fn needs_setup(url: &DatabaseUrl) -> Result<bool, Error> {
        match Store::open_existing(url) {
            Ok(_) => Ok(false),
            Err(Error::Missing { .. } | Error::NotSetUp { .. } | Error::OlderSchema { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

/// The folder of a file; a bare name is in the working directory.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}
