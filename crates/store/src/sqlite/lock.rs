//! One writer per database: a lock on a file beside it. It keeps Tributary's own programs apart, not every SQLite client; those
//! may read at any time.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use chrono::{SecondsFormat, Utc};

use crate::{DatabaseUrl, Error};

/// The right to write a database. Dropping it gives the right back, and so does the system when the process dies in any way.
/// The lock file itself stays: if it were deleted, two processes could hold locks on two files of the same name.
#[derive(Debug)]
pub struct Lock {
    /// Kept open because the system releases the lock when the file is closed.
    file: File,
    folders: Arc<Held>,
}

/// Locked folders by device and number. Locked only to look one up or to add it.
type Held = Mutex<HashMap<(u64, u64), File>>;

/// Takes folders that only the holder of a [`Lock`] may use, for as long as that lock is held. One without a lock takes nothing.
#[derive(Debug, Clone, Default)]
pub struct FolderLocks(Weak<Held>);

impl Lock {
    /// Takes the lock of a database, which need not exist yet. `holder` names this process, for instance `master --once`, to
    /// the next one that tries.
    ///
    /// # Errors
    /// [`Error::Locked`] while another process holds it, [`Error::NoFolder`], [`Error::IsFolder`] and [`Error::LockFile`].
    pub fn acquire(url: &DatabaseUrl, holder: &str) -> Result<Lock, Error> {
        let path = lock_path(url.path())?;
        if url.path().metadata().is_ok_and(|database| database.nlink() > 1) {
            return Err(Error::ManyNames { path: url.path().to_owned() });
        }
        let failed = |source| Error::LockFile { path: path.clone(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Locked { holder: read_holder(&mut file), path: url.path().to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let lock = Lock { file, folders: Arc::default() };
        let spool = spool_path(url.path());
        if spool.is_dir() && matches!(lock.folders().acquire(&spool), Err(Error::FolderLocked { .. })) {
            // Someone has deleted the lock file of a process that still runs.
            return Err(Error::Locked { holder: "another process".to_owned(), path: url.path().to_owned() });
        }
        let since = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let text = format!("{holder}, process {}, since {since}\n", std::process::id());
        write_holder(&lock.file, &text).map_err(failed)?;
        Ok(lock)
    }

    /// Takes folders together with this lock.
    #[must_use]
    pub fn folders(&self) -> FolderLocks {
        FolderLocks(Arc::downgrade(&self.folders))
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

/// `<database>.lock`, beside the file that the path resolves to: two links to one database share one lock.
fn lock_path(database: &Path) -> Result<PathBuf, Error> {
    let real = match database.canonicalize() {
        Ok(real) => real,
        // The file does not exist yet. A dangling link counts as its target, because that is the file SQLite will create. Opening
        // the lock file resolves the folder.
        Err(_) => {
            let target = database.read_link().map(|link| database.parent().unwrap_or(Path::new("")).join(link));
            let path = target.unwrap_or_else(|_| database.to_owned());
            std::path::absolute(path).map_err(|source| Error::LockFile { path: database.to_owned(), source })?
        }
    };
    if real.is_dir() {
        return Err(Error::IsFolder { path: database.to_owned() });
    }
    if !real.parent().is_some_and(Path::is_dir) {
        return Err(Error::NoFolder { path: database.to_owned() });
    }
    let mut name = real.into_os_string();
    name.push(".lock");
    Ok(name.into())
}

fn write_holder(mut file: &File, text: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())
}

/// The text that the holder wrote. It may be writing it right now, so an empty or unreadable text is not an error.
fn read_holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "another process".to_owned(),
    }
}
