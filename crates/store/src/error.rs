//! What can go wrong with a database, in words for the person who has to mend it.

use std::{io, path::PathBuf};

use diesel::result::{DatabaseErrorKind, Error as DieselError, QueryResult};

/// A failure of the store. The text says what could not be done, where, and where it helps what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL is neither a path nor of a kind that is known.
    #[error("`{url}` is no database url; give the path of a file, or `sqlite:PATH`")]
    BadUrl {
        /// The URL, cut after its scheme because a password may follow.
        url: String,
    },
    /// A PostgreSQL URL. It is not repeated, because it may hold a password.
    #[error("postgres urls are not supported yet by this build; give the path of a SQLite file")]
    PostgresUnsupported,
    /// There is no file at the path, and the caller only wanted to read.
    #[error("there is no database at {path}; `starter --database-url {path}` sets one up", path = path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The folder in which the database should be created does not exist.
    #[error("cannot create {path}: its folder does not exist; create the folder first", path = path.display())]
    NoFolder {
        /// The database that should be created.
        path: PathBuf,
    },
    /// The path is a folder.
    #[error("{path} is a folder; the database url names a file", path = path.display())]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The file is there, but it is something else.
    #[error("{path} is not a SQLite database; name another file or move this one away", path = path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file or its folder cannot be written.
    #[error("{path} cannot be written; check the permissions of the file and of its folder", path = path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// A SQLite database without our tables.
    #[error("{path} was not set up yet; `starter --database-url {path}` does it", path = path.display())]
    NotSetUp {
        /// The database.
        path: PathBuf,
    },
    /// The schema lacks migrations which this program knows.
    #[error("{path} has an older schema than this program; `starter --database-url {path}` brings it up to date", path = path.display())]
    OlderSchema {
        /// The database.
        path: PathBuf,
    },
    /// The schema has migrations which this program does not know.
    #[error("{path} was changed by a newer version of tributary (migration {version}); use that version", path = path.display())]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// The first migration that is not known.
        version: String,
    },
    /// Another process works on the database.
    #[error("{path} is in use by {holder}; stop that process first", path = path.display())]
    Locked {
        /// Who holds it: program, process id and since when.
        holder: String,
        /// The database.
        path: PathBuf,
    },
    /// The lock file cannot be opened or written.
    #[error("cannot use the lock file {path}", path = path.display())]
    LockFile {
        /// The lock file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The database cannot be opened, for another reason than those above.
    #[error("cannot open the database {path}: {reason}", path = path.display())]
    Open {
        /// The database.
        path: PathBuf,
        /// SQLite's words.
        reason: String,
    },
    /// A migration failed; the database is as it was before.
    #[error("cannot migrate the database {path}: {reason}", path = path.display())]
    Migrate {
        /// The database.
        path: PathBuf,
        /// What diesel says.
        reason: String,
    },
    /// A statement failed.
    #[error("cannot {action}")]
    Query {
        /// What was to be done, for instance `insert sku "A1" into products`.
        action: String,
        /// The database's words.
        source: DieselError,
    },
    /// What is stored contradicts itself, or what the caller believes is stored.
    #[error(
        "the database contradicts itself: {what}; `starter --reset` empties it, edits too, and the master fills it again"
    )]
    Corrupt {
        /// The table, the key and the contradiction.
        what: String,
    },
}

impl Error {
    /// Whether the caller said something that cannot be understood, rather than something that cannot be done: programs
    /// exit with 2 then.
    pub fn is_usage(&self) -> bool {
        matches!(self, Error::BadUrl { .. } | Error::PostgresUnsupported)
    }
}

/// Gives a failed statement its context.
pub(crate) trait Doing<T> {
    /// `action` completes "cannot …" and is only built for a failure.
    fn doing<S: Into<String>>(self, action: impl FnOnce() -> S) -> Result<T, Error>;
}

impl<T> Doing<T> for QueryResult<T> {
    fn doing<S: Into<String>>(self, action: impl FnOnce() -> S) -> Result<T, Error> {
        self.map_err(|source| Error::Query { action: action().into(), source })
    }
}

/// The database's own words, without diesel's around them.
pub(crate) fn message(error: &DieselError) -> String {
    match error {
        DieselError::DatabaseError(kind, info) if !matches!(kind, DatabaseErrorKind::ClosedConnection) => {
            info.message().to_owned()
        }
        other => other.to_string(),
    }
}

/// A statement that names one row by its key must have found it; else the caller believes something else about the
/// tables than they say.
pub(crate) fn exactly_one(rows: usize, what: impl FnOnce() -> String) -> Result<(), Error> {
    if rows == 1 { Ok(()) } else { Err(Error::Corrupt { what: what() }) }
}

/// As [`exactly_one`] for many rows, of which `found` were there. `missing` speaks of one of them.
pub(crate) fn all_of<K>(keys: &[K], found: usize, missing: impl Fn(&K) -> String) -> Result<(), Error> {
    match keys {
        _ if found == keys.len() => Ok(()),
        [key] => Err(Error::Corrupt { what: missing(key) }),
        [first, ..] => {
            let missed = keys.len().abs_diff(found);
            let what = format!("{missed} of {} rows were not there, perhaps this one: {}", keys.len(), missing(first));
            Err(Error::Corrupt { what })
        }
        [] => Ok(()),
    }
}
