//! Opening a SQLite file, for writing or for reading.

use std::path::Path;

use diesel::{
    connection::{Connection as _, SimpleConnection},
    sqlite::SqliteConnection,
};
use rustix::{
    fs::{Access, access},
    io::Errno,
};

use super::{large::WRITER_CACHE, open_error::open_error, place::FileIdentity, uri::sqlite_uri};
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

/// Opens a file for writing, and creates it if it does not exist.
///
/// # Errors
/// Anything that keeps it from being a writable database.
pub(crate) fn open_for_writing(path: &Path, url: &DatabaseUrl) -> Result<Store, Error> {
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
    connect(path, url, "rwc", WRITER_PRAGMAS)
}

/// Opens a file that exists for reading only.
///
/// # Errors
/// [`Error::IsFolder`], [`Error::Missing`]; anything that keeps it from being read.
pub(crate) fn open_for_reading(path: &Path, url: &DatabaseUrl) -> Result<Store, Error> {
    if path.is_dir() {
        return Err(Error::IsFolder { path: path.to_owned() });
    }
    if !path.exists() {
        return Err(Error::Missing { path: path.to_owned() });
    }
    connect(path, url, "ro", READER_PRAGMAS)
}

fn connect(path: &Path, url: &DatabaseUrl, mode: &str, pragmas: &[&str]) -> Result<Store, Error> {
    let sqlite = SqliteConnection::establish(&sqlite_uri(path, mode));
    let mut sqlite = sqlite.map_err(|error| open_error(path, error.to_string()))?;
    for pragma in std::iter::once(&BUSY_TIMEOUT).chain(pragmas) {
        sqlite.batch_execute(pragma).map_err(|error| open_error(path, message(&error)))?;
    }
    Ok(Store::new(AnyConnection::Sqlite(sqlite), url, FileIdentity::at(path)))
}

/// The folder of a file. A bare name is in the working directory.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}
