//! Everything that can go wrong with a database, in words for the person who has to fix it.

use std::{io, path::PathBuf};

use diesel::result::{DatabaseErrorKind, Error as DieselError, QueryResult};

use crate::postgres;

/// A failure of the store. The text says what failed, on which file or row, and where possible how to fix it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL is neither a path nor of a known kind.
    #[error("`{url}` is not a database url; give the path of a file, `sqlite:PATH` or `postgres://USER@HOST/NAME`")]
    BadUrl {
        /// The URL, cut after its scheme because a password may follow.
        url: String,
    },
    /// A PostgreSQL URL without the name of a database.
    #[error("`{url}` names no database; write postgres://USER@HOST/NAME")]
    NoDatabaseName {
        /// The URL without its password.
        url: String,
    },
    /// Another master has taken over since this one began to write.
    #[error("another master has taken over {database}: this one writes no more")]
    Deposed {
        /// The database.
        database: String,
    },
    /// The file does not exist, and the caller only wanted to read.
    #[error("there is no database at {path}; `starter --database-url {path}` sets one up", path = path.display())]
    Missing {
        /// The database.
        path: PathBuf,
    },
    /// The folder of a database that should be created does not exist.
    #[error("cannot create {path}: its folder does not exist; create the folder first", path = path.display())]
    NoFolder {
        /// The database.
        path: PathBuf,
    },
    /// The path is a folder.
    #[error("{path} is a folder; the database url must name a file", path = path.display())]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The file exists but is not a database.
    #[error("{path} is not a SQLite database; name another file or move this one away", path = path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A first load was broken off, and only a writer can take it back.
    #[error("the first load of {path} was broken off; start the master, which takes it back and begins again", path = path.display())]
    BrokenOff {
        /// The file.
        path: PathBuf,
    },
    /// The file or its folder is read-only.
    #[error("{path} cannot be written; check the permissions of the file and of its folder", path = path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// The file is no longer where it was opened.
    #[error(
        "{path} is no longer the file that this program has opened; move that file back, or restart the program to go on with what is there",
        path = path.display()
    )]
    Displaced {
        /// The database.
        path: PathBuf,
    },
    /// A SQLite database without our tables.
    #[error("{path} is not set up yet; run `starter --database-url {path}`", path = path.display())]
    NotSetUp {
        /// The database.
        path: PathBuf,
    },
    /// The schema lacks migrations that this program knows.
    #[error("{path} has an older schema than this program; run `starter --database-url {path}` to update it", path = path.display())]
    OlderSchema {
        /// The database.
        path: PathBuf,
    },
    /// The schema has migrations that this program does not know.
    #[error("{path} was changed by a newer version of tributary (migration {version}); use that version", path = path.display())]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// The first unknown migration.
        version: String,
    },
    /// Another process holds the lock of the database.
    #[error("{path} is in use by {holder}; stop that process first", path = path.display())]
    Locked {
        /// The process: program, process id and start time of the lock.
        holder: String,
        /// The database.
        path: PathBuf,
    },
    /// The database has a second name, a hard link. SQLite would keep a log for each, and damage it.
    #[error("{path} is a file with two names (hard links), which would damage a database; delete the other name", path = path.display())]
    ManyNames {
        /// The database.
        path: PathBuf,
    },
    /// Another process has a folder that only one may use.
    #[error("the folder {path} is in use by another process; stop that process, or give this one a folder of its own", path = path.display())]
    FolderLocked {
        /// The folder.
        path: PathBuf,
    },
    /// The lock file cannot be opened or written.
    #[error("cannot use the lock file {path}", path = path.display())]
    LockFile {
        /// The lock file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The database cannot be opened, for none of the reasons above.
    #[error("cannot open the database {path}: {reason}", path = path.display())]
    Open {
        /// The database.
        path: PathBuf,
        /// SQLite's message.
        reason: String,
    },
    /// A migration failed and was rolled back.
    #[error("cannot migrate the database {path}: {reason}", path = path.display())]
    Migrate {
        /// The database.
        path: PathBuf,
        /// diesel's message.
        reason: String,
    },
    /// The database cannot be copied.
    #[error("cannot copy the database {path}: {reason}", path = path.display())]
    Copy {
        /// The database.
        path: PathBuf,
        /// SQLite's message.
        reason: String,
    },
    /// A statement failed.
    #[error("cannot {action}")]
    Query {
        /// The failed action, for instance `insert sku "A1" into products`.
        action: String,
        /// The database's error.
        source: DieselError,
    },
    /// The tables contradict each other, or the caller's knowledge of them.
    #[error(
        "the database contradicts itself: {what}; `starter --reset` deletes everything in it, edits too, and the master loads it again"
    )]
    Corrupt {
        /// The contradiction, with its table and key.
        what: String,
    },
}

impl Error {
    /// True if the user gave invalid input, as opposed to a failure: programs exit with 2 then.
    pub fn is_usage(&self) -> bool {
        matches!(self, Error::BadUrl { .. } | Error::NoDatabaseName { .. })
    }

    /// The reason why the database could not be written at all, whatever was to be written; `None` if only this failed.
    pub fn unwritable(&self) -> Option<&'static str> {
        let words = match self {
            Error::ReadOnly { .. } => return Some("it is read-only"),
            Error::Displaced { .. } => return Some("its file was deleted, moved or replaced"),
            Error::Deposed { .. } => return Some("another master has taken over"),
            Error::Query { source, .. } if postgres::is_lost(source) => return Some(UNREACHABLE),
            Error::Query { source, .. } => message(source),
            _ => return None,
        };
        UNWRITABLE.iter().find(|(known, _)| words.contains(known)).map(|(_, reason)| *reason)
    }

    /// Whether locks of the database are held that the system did not take back. [`crate::open_anew`] frees them.
    pub fn has_lost_locks(&self) -> bool {
        matches!(self, Error::Query { source, .. } if message(source).contains(LOST_LOCKS))
    }

    /// Whether somebody holds the lock for writing: another program, or nobody if the system did not take it back.
    pub fn is_locked(&self) -> bool {
        matches!(self, Error::Query { source, .. } if message(source).contains(LOCKED))
    }
}

/// SQLite's words for locks that nobody has and that cannot be taken.
const LOST_LOCKS: &str = "locking protocol";
const LOCKED: &str = "database is locked";

const UNREACHABLE: &str = "its server cannot be reached";

/// The words of SQLite and PostgreSQL for a database that cannot be written, and ours. diesel does not keep the codes.
const UNWRITABLE: [(&str, &str); 11] = [
    ("disk is full", "its disk is full"),
    ("disk I/O error", "its disk fails, or a limit keeps its files from growing"),
    ("readonly database", "it is read-only"),
    ("unable to open database file", "its files cannot be opened"),
    ("No space left on device", "the disk of its server is full"),
    ("Disk quota exceeded", "the disk of its server is full"),
    ("could not write to file", "the disk of its server fails"),
    ("read-only transaction", "its server is read-only"),
    ("due to lock timeout", "another program has locked it"),
    (LOCKED, "another program has locked it"),
    (LOST_LOCKS, "another program has locked it, or the system does not take locks back"),
];

/// Adds the failed action to the error of a statement.
pub(crate) trait OrCannot<T> {
    /// `action` completes "cannot …". It only runs on failure.
    fn or_cannot<S: Into<String>>(self, action: impl FnOnce() -> S) -> Result<T, Error>;
}

impl<T> OrCannot<T> for QueryResult<T> {
    fn or_cannot<S: Into<String>>(self, action: impl FnOnce() -> S) -> Result<T, Error> {
        self.map_err(|source| Error::Query { action: action().into(), source })
    }
}

/// The database's own message, without diesel's wrapping.
pub(crate) fn message(error: &DieselError) -> String {
    match error {
        DieselError::DatabaseError(kind, info) if !matches!(kind, DatabaseErrorKind::ClosedConnection) => {
            info.message().to_owned()
        }
        other => other.to_string(),
    }
}

/// Checks that a statement for a single key has found its row: if not, the caller and the tables disagree.
pub(crate) fn exactly_one(rows: usize, contradiction: impl FnOnce() -> String) -> Result<(), Error> {
    if rows == 1 { Ok(()) } else { Err(Error::Corrupt { what: contradiction() }) }
}

/// As [`exactly_one`] for many keys, of which `found` have a row. `missing` describes a key without one.
pub(crate) fn all_of<K>(keys: &[K], found: usize, missing: impl Fn(&K) -> String) -> Result<(), Error> {
    match keys {
        _ if found == keys.len() => Ok(()),
        [key] => Err(Error::Corrupt { what: missing(key) }),
        [first, ..] => {
            let absent = keys.len().abs_diff(found);
            let what = format!("{absent} of {} rows do not exist, perhaps this one: {}", keys.len(), missing(first));
            Err(Error::Corrupt { what })
        }
        [] => Ok(()),
    }
}
