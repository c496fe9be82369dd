//! Opening a database: for writing, which sets it up, or for reading, which changes nothing.

use std::path::Path;

use diesel::{
    connection::{Connection as _, SimpleConnection},
    sqlite::SqliteConnection,
};
use rustix::{
    fs::{Access, access},
    io::Errno,
};

use super::{large::WRITER_CACHE, migrate, open_error::open_error, place::FileIdentity, uri::sqlite_uri};
use crate::{
    DatabaseUrl, Error, Store,
    database::{connection::AnyConnection, error::message},
};

/// Time that a statement waits for another program's transaction before it fails: 10 s.
pub(crate) const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 10000";

/// The settings of a writing connection. The page size must come first: it only counts before the file is created, which
/// `journal_mode` does. Pages of 8 KiB make the tables' trees flatter. With `synchronous = FULL`, a commit outlives a power cut. The log is
/// copied into the file from 4,096 pages on, which is 32 MiB: transactions of thousands of scattered rows write the same pages again and
/// again, and SQLite's 1,000 pages would copy them after each.
const WRITER_PRAGMAS: &[&str] = &[
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 4096",
    "PRAGMA foreign_keys = ON",
    WRITER_CACHE,
    "PRAGMA temp_store = MEMORY",
];

/// The settings of a reading connection: a cache of at most 8 MiB. Rows that are sorted beyond it go to a temporary file, not to memory.
/// Eight of them must not fill 128 MiB with the pages of large texts, which nobody reads again: docs/decisions/0022-give-memory-back.md.
const READER_PRAGMAS: &[&str] = &["PRAGMA cache_size = -8192"];

impl Store {
    /// Opens the database for writing, creates it if it does not exist, and brings its schema up to date.
    ///
    /// # Errors
    /// Anything that keeps the file from being a writable database with a schema that this program knows.
    pub fn open(url: &DatabaseUrl) -> Result<Store, Error> {
        let path = url.path();
        if path.is_dir() {
            return Err(Error::IsFolder { path: path.to_owned() });
        }
        if !folder_of(path).is_dir() {
            return Err(Error::NoFolder { path: path.to_owned() });
        }
        // SQLite would open it for reading, and fail with the first write.
        if let Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) = access(path, Access::WRITE_OK) {
            return Err(Error::ReadOnly { path: path.to_owned() });
        }
        let mut store = connect(url, "rwc", WRITER_PRAGMAS)?;
        migrate::bring_up_to_date(&mut store, path)?;
        Ok(store)
    }

    /// Opens the database for reading only. Never creates, migrates or changes anything, and works while another process writes.
    /// To read often, share a [`crate::ReaderPool`].
    ///
    /// # Errors
    /// [`Error::Missing`] without a file, [`Error::NotADatabase`]; [`Error::NotSetUp`], [`Error::OlderSchema`] and
    /// [`Error::NewerSchema`] if the schema is not this program's.
    pub fn open_existing(url: &DatabaseUrl) -> Result<Store, Error> {
        let mut store = Store::open_unchecked(url)?;
        migrate::check(&mut store, url.path())?;
        Ok(store)
    }

    /// Opens another connection to the same database, for reading. It does not see what this one has not committed.
    ///
    /// # Errors
    /// As [`Store::open_existing`], but for the schema, which this store has checked.
    pub fn reader(&self) -> Result<Store, Error> {
        Store::open_unchecked(&self.url)
    }

    /// As [`Store::open_existing`], without the check of the schema: for a process that has made it before.
    pub(crate) fn open_unchecked(url: &DatabaseUrl) -> Result<Store, Error> {
        let path = url.path();
        if path.is_dir() {
            return Err(Error::IsFolder { path: path.to_owned() });
        }
        if !path.exists() {
            return Err(Error::Missing { path: path.to_owned() });
        }
        connect(url, "ro", READER_PRAGMAS)
    }

    /// Checks if [`Store::open`] would change anything: the database does not exist, or lacks migrations. Changes nothing itself.
    ///
    /// # Errors
    /// As [`Store::open_existing`], except for errors that mean "yes".
    pub fn needs_setup(url: &DatabaseUrl) -> Result<bool, Error> {
        match Store::open_existing(url) {
            Ok(_) => Ok(false),
            Err(
                Error::Missing { .. } | Error::NotSetUp { .. } | Error::OlderSchema { .. } | Error::BrokenOff { .. },
            ) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

fn connect(url: &DatabaseUrl, mode: &str, pragmas: &[&str]) -> Result<Store, Error> {
    let path = url.path();
    let sqlite = SqliteConnection::establish(&sqlite_uri(path, mode));
    let mut sqlite = sqlite.map_err(|error| open_error(path, error.to_string()))?;
    for pragma in std::iter::once(&BUSY_TIMEOUT).chain(pragmas) {
        sqlite.batch_execute(pragma).map_err(|error| open_error(path, message(&error)))?;
    }
    let file = FileIdentity::at(path);
    Ok(Store { connection: AnyConnection::Sqlite(sqlite), url: url.clone(), file, has_left_log: false })
}

/// The folder of a file. A bare name is in the working directory.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}
