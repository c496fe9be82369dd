//! One writer per database: a lock on a file beside it. It keeps Tributary's own programs apart, not every SQLite client; those
//! may read at any time.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::Error;

/// The lock of a SQLite file. The system gives it back when the process dies in any way. The lock file itself stays: if it were deleted, two
/// processes could hold locks on two files of the same name.
#[derive(Debug)]
pub(crate) struct FileLock {
    /// Kept open because the system releases the lock when the file is closed.
    file: File,
    path: PathBuf,
}

impl FileLock {
    /// Takes the lock of a database, which need not exist yet.
    ///
    /// # Errors
    /// [`Error::Locked`] while another process holds it, [`Error::NoFolder`], [`Error::IsFolder`] and [`Error::LockFile`].
    pub(crate) fn acquire(database: &Path) -> Result<Self, Error> {
        let path = lock_path(database)?;
        if database.metadata().is_ok_and(|database| database.nlink() > 1) {
            return Err(Error::ManyNames { path: database.to_owned() });
        }
        let failed = |source| Error::LockFile { path: path.clone(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, path }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::Locked { holder: read_holder(&mut file), path: database.to_owned() })
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Writes who holds it, for the next one that tries.
    ///
    /// # Errors
    /// [`Error::LockFile`].
    pub(crate) fn write_holder(&self, holder: &str) -> Result<(), Error> {
        let write = |mut file: &File| -> io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(format!("{holder}\n").as_bytes())
        };
        write(&self.file).map_err(|source| Error::LockFile { path: self.path.clone(), source })
    }
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

/// The text that the holder wrote. It may be writing it right now, so an empty or unreadable text is not an error.
fn read_holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "another process".to_owned(),
    }
}
