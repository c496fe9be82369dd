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
    /// A PostgreSQL URL that cannot be used.
    #[error("the database url `postgres://…` {fault}; write postgres://USER:PASSWORD@HOST/NAME")]
    BadPostgresUrl {
        /// The fault, in words that repeat no part of the URL.
        fault: postgres::Fault,
    },
    /// Another master has taken over since this one began to write.
    #[error("another master has taken over {database}: this one writes no more")]
    Deposed {
        /// The database.
        database: String,
    },
    /// The session was lost while a transaction was committed, and its server could not be asked how that ended.
    #[error("{database} may have stored the last change or not: its server was lost meanwhile")]
    UnknownOutcome {
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
    /// The server of the database does not let this program in, or does not answer.
    #[error("cannot open the database {database}: {reason}")]
    Unreachable {
        /// The database.
        database: String,
        /// Its words, or those of libpq.
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
        matches!(self, Error::BadUrl { .. } | Error::BadPostgresUrl { .. })
    }

    /// The reason why the database could not be written at all, whatever was to be written; `None` if only this failed.
    pub fn unwritable(&self) -> Option<&'static str> {
        self.obstacle().map(|obstacle| obstacle.reason)
    }

    /// The way to make the database writable again, if it could not be written at all.
    pub fn remedy(&self) -> Option<&'static str> {
        self.obstacle().map(|obstacle| obstacle.remedy)
    }

    fn obstacle(&self) -> Option<Obstacle> {
        let words = match self {
            Error::ReadOnly { .. } => return Some(READ_ONLY),
            Error::Displaced { .. } => return Some(DISPLACED),
            Error::Deposed { .. } => return Some(DEPOSED),
            Error::UnknownOutcome { .. } => return Some(UNREACHABLE),
            error if error.is_cut_off() => return Some(UNREACHABLE),
            Error::Query { source, .. } => message(source),
            _ => return None,
        };
        OBSTACLES.into_iter().find(|(known, _)| words.contains(known)).map(|(_, obstacle)| obstacle)
    }

    /// Whether the last transaction may be committed or not: what is known of the tables may be wrong.
    pub fn has_unknown_outcome(&self) -> bool {
        matches!(self, Error::UnknownOutcome { .. })
    }

    /// Whether the database cannot be opened, or its server cannot be reached: the same may succeed later.
    pub fn is_away(&self) -> bool {
        matches!(self, Error::Open { .. }) || self.is_cut_off()
    }

    /// Whether there is no session of the server any more, or none could be opened.
    fn is_cut_off(&self) -> bool {
        match self {
            Error::Unreachable { .. } => true,
            Error::Query { source, .. } => postgres::is_lost(source),
            _ => false,
        }
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

/// Why a database cannot be written, and how to change that.
#[derive(Clone, Copy)]
struct Obstacle {
    reason: &'static str,
    remedy: &'static str,
}

impl Obstacle {
    const fn new(reason: &'static str, remedy: &'static str) -> Self {
        Self { reason, remedy }
    }
}

const READ_ONLY: Obstacle = Obstacle::new("it is read-only", "make the file and its folder writable");
const DISPLACED: Obstacle =
    Obstacle::new("its file was deleted, moved or replaced", "move the file back, or restart the program");
const DEPOSED: Obstacle = Obstacle::new("another master has taken over", "send changes to that one");
const UNREACHABLE: Obstacle =
    Obstacle::new("its server cannot be reached", "start the server, or look whether this machine reaches it");
const SERVER_FULL: Obstacle =
    Obstacle::new("the disk of its server is full", "free space on the disk of the PostgreSQL server");
const IN_USE: Obstacle = Obstacle::new("another program has locked it", "end the program that has locked it");

/// The words of SQLite and PostgreSQL for a database that cannot be written, and ours. diesel does not keep the codes.
const OBSTACLES: [(&str, Obstacle); 11] = [
    ("disk is full", Obstacle::new("its disk is full", "free space on its disk")),
    (
        "disk I/O error",
        Obstacle::new(
            "its disk fails, or a limit keeps its files from growing",
            "check its disk, and the size that files of this process may have",
        ),
    ),
    ("readonly database", READ_ONLY),
    ("unable to open database file", Obstacle::new("its files cannot be opened", "check its folder")),
    ("No space left on device", SERVER_FULL),
    ("Disk quota exceeded", SERVER_FULL),
    (
        "could not write to file",
        Obstacle::new("the disk of its server fails", "check the disk of the PostgreSQL server"),
    ),
    (
        "read-only transaction",
        Obstacle::new("its server is read-only", "give the address of a server that can be written"),
    ),
    ("due to lock timeout", IN_USE),
    (LOCKED, IN_USE),
    (
        LOST_LOCKS,
        Obstacle::new(
            "another program has locked it, or the system does not take locks back",
            "end the program that has locked it",
        ),
    ),
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

/// The database's own message in one line, without diesel's wrapping.
pub(crate) fn message(error: &DieselError) -> String {
    match error {
        DieselError::DatabaseError(kind, info) if !matches!(kind, DatabaseErrorKind::ClosedConnection) => {
            one_line(info.message())
        }
        other => one_line(&other.to_string()),
    }
}

/// Joins lines, in which a server and libpq write: a line of a log is one event.
pub(crate) fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
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
