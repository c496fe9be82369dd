//! A copy of a whole database while others write it. SQLite's online backup copies the pages of one read transaction; diesel does not
//! offer it, so this module alone uses rusqlite, over the same SQLite.

use std::{path::Path, time::Duration};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use super::uri::sqlite_uri;
use crate::{DatabaseUrl, Error, Store};

/// Longest wait for a first load, which lets nobody read; as for every other statement.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The file of a document as a database names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingDocument {
    /// Its id.
    pub id: String,
    /// Its path in the source `uploads`.
    pub path: String,
    /// Hash of its body, as in a manifest.
    pub hash: Option<String>,
}

/// One moment of a database, for as long as this lives. It keeps nobody from writing, but the write-ahead log grows meanwhile.
pub struct Snapshot {
    connection: Connection,
    url: DatabaseUrl,
}

impl Snapshot {
    /// Opens the database as it is now.
    ///
    /// # Errors
    /// As [`Store::open_existing`].
    pub fn open(url: &DatabaseUrl) -> Result<Self, Error> {
        if url.is_postgres() {
            let reason = "`pg_dump` saves a PostgreSQL database; copy the folder of uploads beside it".to_owned();
            return Err(Error::Copy { path: url.to_string().into(), reason });
        }
        drop(Store::open_existing(url)?);
        let failed = |error| copy_error(url.path(), &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(sqlite_uri(url.path(), "ro"), flags).map_err(failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        // The transaction begins at the first read.
        connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema").map_err(failed)?;
        Ok(Self { connection, url: url.clone() })
    }

    /// The documents that have a file, by path.
    ///
    /// # Errors
    /// [`Error::Copy`].
    pub fn standing_documents(&self) -> Result<Vec<StandingDocument>, Error> {
        let read = || {
            let query = "SELECT id, path, hash FROM documents WHERE place IS NOT NULL ORDER BY path, id";
            let mut query = self.connection.prepare(query)?;
            let row = |row: &rusqlite::Row<'_>| {
                Ok(StandingDocument { id: row.get(0)?, path: row.get(1)?, hash: row.get(2)? })
            };
            query.query_map([], row)?.collect::<Result<Vec<_>, rusqlite::Error>>()
        };
        read().map_err(|error| copy_error(self.url.path(), &error))
    }

    /// Copies all pages to a new file, which is then a database of its own without a log, and checks it.
    ///
    /// # Errors
    /// [`Error::Copy`]: the file exists or cannot be written, or the database is damaged.
    pub fn copy_to(&self, path: &Path) -> Result<(), Error> {
        let copy = || {
            // A copy that is broken off is thrown away, so it needs neither journal nor sync.
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI;
            let mut target = Connection::open_with_flags(sqlite_uri(path, "rwc"), flags)?;
            target.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF")?;
            {
                let backup = Backup::new(&self.connection, &mut target)?;
                if backup.step(-1)? != StepResult::Done {
                    return Ok("it is locked".to_owned());
                }
            }
            target.execute_batch("PRAGMA journal_mode = DELETE")?;
            target.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
        };
        match copy() {
            Ok(found) if found == "ok" => Ok(()),
            Ok(reason) => Err(Error::Copy { path: self.url.path().to_owned(), reason }),
            Err(error) => Err(copy_error(self.url.path(), &error)),
        }
    }
}

fn copy_error(path: &Path, error: &rusqlite::Error) -> Error {
    let reason = match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    };
    Error::Copy { path: path.to_owned(), reason }
}
