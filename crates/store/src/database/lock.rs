//! The right to write a database: one process has it at a time. For a SQLite file it is a lock beside it, on a server a session with a lock.

use std::{
    collections::HashMap,
    fs::{File, TryLockError},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::{SecondsFormat, Utc};
use diesel::prelude::*;

use super::{
    error::{Error, OrCannot},
    store::Store,
    url::{DatabaseUrl, Location},
};
use crate::{
    postgres::{Lease, schema::active_master},
    sqlite::{self, FileLock},
};

/// The right to write a database. Dropping it gives the right back, and so does the system when the process dies in any way.
#[derive(Debug)]
pub struct Lock {
    url: DatabaseUrl,
    kind: Kind,
    folders: Arc<Held>,
}

#[derive(Debug)]
enum Kind {
    /// Held open.
    File(#[allow(dead_code, reason = "the lock lasts as long as the file is open")] FileLock),
    Server(Lease),
}

/// The process that may write a database.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = active_master)]
pub struct ActiveMaster {
    /// Rises with each one that takes over; 0 where nobody can take over.
    pub epoch: i64,
    /// The program with its process and machine, and since when; `None`: nobody since the last one has stopped.
    pub holder: Option<String>,
    /// Its address as others reach it; `None` if it is not configured.
    pub public_url: Option<String>,
    /// Since when, RFC 3339.
    pub since: Option<String>,
}

/// Tells whether a [`Lock`] still holds.
#[derive(Debug, Clone, Default)]
pub struct LockWatch(pub(crate) Arc<AtomicBool>);

impl LockWatch {
    /// Whether another process has the right now: this one can write no more. It never has for a SQLite file.
    #[must_use]
    pub fn is_deposed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Locked folders by device and number. Locked only to look one up or to add it.
type Held = Mutex<HashMap<(u64, u64), File>>;

/// Takes folders that only the holder of a [`Lock`] may use, for as long as that lock is held. One without a lock takes nothing.
#[derive(Debug, Clone, Default)]
pub struct FolderLocks(Weak<Held>);

impl Lock {
    /// Takes the right to write a database. A SQLite file need not exist yet; the schema of a server's database is brought up to date.
    /// `holder` names this process, for instance `master --once`, to the next one that tries.
    ///
    /// # Errors
    /// [`Error::Locked`] while another process has it, [`Error::NoFolder`], [`Error::IsFolder`] and [`Error::LockFile`]; those of
    /// [`Store::open`] for a server.
    pub fn acquire(url: &DatabaseUrl, holder: &str) -> Result<Lock, Error> {
        Self::acquire_at(url, holder, None)
    }

    /// As [`Lock::acquire`]; `public_url` is the address of this process for those who ask another master of the same server.
    ///
    /// # Errors
    /// As [`Lock::acquire`].
    pub fn acquire_at(url: &DatabaseUrl, holder: &str, public_url: Option<&str>) -> Result<Lock, Error> {
        let since = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let process = std::process::id();
        let Location::Sqlite(path) = url.location() else {
            let holder = format!("{holder}, process {process}{}", on_machine());
            let lease = Lease::acquire(url, &holder, public_url, &since)?;
            return Ok(Lock { url: url.clone(), kind: Kind::Server(lease), folders: Arc::default() });
        };
        let lock = Lock { url: url.clone(), kind: Kind::File(FileLock::acquire(path)?), folders: Arc::default() };
        let spool = spool_path(url.place());
        if spool.is_dir() && matches!(lock.folders().acquire(&spool), Err(Error::FolderLocked { .. })) {
            // Someone has deleted the lock file of a process that still runs.
            return Err(Error::Locked { holder: "another process".to_owned(), path: path.clone() });
        }
        if let Kind::File(file) = &lock.kind {
            file.write_holder(&format!("{holder}, process {process}, since {since}"), public_url)?;
        }
        Ok(lock)
    }

    /// Opens the database for writing, as the holder of this right: on a server, each transaction checks that nobody else has it.
    ///
    /// # Errors
    /// Those of [`Store::open`].
    pub fn open_store(&self) -> Result<Store, Error> {
        match &self.kind {
            Kind::File(_) => Store::open(&self.url),
            Kind::Server(lease) => Store::open_as_holder(&self.url, lease.epoch()),
        }
    }

    /// Tells others whether it still holds.
    #[must_use]
    pub fn watch(&self) -> LockWatch {
        match &self.kind {
            Kind::File(_) => LockWatch::default(),
            Kind::Server(lease) => lease.watch(),
        }
    }

    /// Takes folders together with this lock.
    #[must_use]
    pub fn folders(&self) -> FolderLocks {
        FolderLocks(Arc::downgrade(&self.folders))
    }
}

/// Names the machine of this process, for a list of several.
fn on_machine() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { String::new() } else { format!(" on {name}") }
}

impl Store {
    /// The process that may write the database now; `None` if there is none. Reads no table of a SQLite file.
    ///
    /// # Errors
    /// [`Error::Query`], [`Error::LockFile`], and those of the path of a lock.
    pub fn active_master(&mut self) -> Result<Option<ActiveMaster>, Error> {
        if let Some(path) = self.url.file() {
            return sqlite::holder_of(path);
        }
        let action = || "ask which master is active";
        if !Lease::is_held(&mut self.connection).or_cannot(action)? {
            // The row outlives a master that was killed, the lock does not.
            return Ok(None);
        }
        let query = active_master::table.select(ActiveMaster::as_select());
        let Some(active) = query.first(&mut self.connection).optional().or_cannot(action)? else { return Ok(None) };
        // Nor is it that of a master which has the lock, but is not ready: changes would be sent to the one before.
        let is_signed = Lease::is_signed(&mut self.connection, active.epoch).or_cannot(action)?;
        Ok(is_signed.then_some(active))
    }
}

impl FolderLocks {
    /// Takes a folder that exists. It may be taken again.
    ///
    /// # Errors
    /// [`Error::FolderLocked`] while another process has it, and [`Error::LockFile`].
    pub fn acquire(&self, folder: &Path) -> Result<(), Error> {
        let Some(held) = self.0.upgrade() else { return Ok(()) };
        let failed = |source| Error::LockFile { path: folder.to_owned(), source };
        let metadata = folder.metadata().map_err(failed)?;
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (metadata.dev(), metadata.ino());
        if held.contains_key(&key) {
            return Ok(());
        }
        let file = File::open(folder).map_err(failed)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(Error::FolderLocked { path: folder.to_owned() }),
            // Some network file systems lock no folders.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        held.insert(key, file);
        Ok(())
    }
}

/// The folder in which the master that has a database keeps what it has fetched.
#[must_use]
pub fn spool_path(database: &Path) -> PathBuf {
    let mut folder = database.as_os_str().to_owned();
    folder.push(".spool");
    folder.into()
}
