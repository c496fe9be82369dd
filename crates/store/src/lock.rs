//! One writer a database: a lock on a file beside it. It keeps programs of ours apart, not every SQLite client; those
//! may read at any time.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

use chrono::{SecondsFormat, Utc};

use crate::{DatabaseUrl, Error};

/// The right to write a database. Given back when it is dropped, and by the system when the process dies, whatever
/// killed it. The lock file itself stays: deleting it would let two processes lock two files of one name.
#[derive(Debug)]
pub struct Lock {
    /// Open as long as the lock is held: the system ties the lock to it.
    _file: File,
}

impl Lock {
    /// Takes the lock of a database, which need not exist yet. `holder` names the caller for whoever comes second,
    /// for instance `master --once`.
    ///
    /// # Errors
    /// [`Error::Locked`] while another holds it, [`Error::NoFolder`] and [`Error::LockFile`].
    pub fn acquire(url: &DatabaseUrl, holder: &str) -> Result<Lock, Error> {
        let path = lock_path(url.path())?;
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
        let since = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let text = format!("{holder}, process {}, since {since}\n", std::process::id());
        write_holder(&mut file, &text).map_err(failed)?;
        Ok(Lock { _file: file })
    }
}

/// `<database>.lock`, beside the file that the path leads to: two links to one database must give one lock.
fn lock_path(database: &Path) -> Result<PathBuf, Error> {
    let real = match database.canonicalize() {
        Ok(real) => real,
        // It does not exist yet; the folder is resolved when the file is opened. A link that leads to nothing yet will
        // lead to the file that SQLite makes.
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

fn write_holder(file: &mut File, text: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())
}

/// What the holder wrote. It may be just writing, so an empty or unreadable text is no error of ours.
fn read_holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "another process".to_owned(),
    }
}
