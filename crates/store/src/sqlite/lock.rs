//! One writer per database: a lock on a file beside it. It keeps Tributary's own programs apart, not every SQLite client; those
//! may read at any time.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::{ActiveMaster, Error};

/// Tries to take a lock before it counts as held, and the pause between two: who asks [who has it](holder_of) shares it for a moment.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(20);

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
        match try_patiently(&file) {
            Ok(()) => Ok(Self { file, path }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::Locked { holder: read_holder(&mut file).0, path: database.to_owned() })
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Writes who holds it, for the next one that tries, and its address for those who ask another master.
    ///
    /// # Errors
    /// [`Error::LockFile`].
    pub(crate) fn write_holder(&self, holder: &str, public_url: Option<&str>) -> Result<(), Error> {
        let address = public_url.map(|url| format!("{url}\n")).unwrap_or_default();
        let write = |mut file: &File| -> io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(format!("{holder}\n{address}").as_bytes())
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

/// The process that may write a database now; `None` if there is none.
///
/// # Errors
/// [`Error::LockFile`], and those of the path of a lock.
pub(crate) fn holder_of(database: &Path) -> Result<Option<ActiveMaster>, Error> {
    let path = lock_path(database)?;
    let failed = |source| Error::LockFile { path: path.clone(), source };
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    // The text outlives its writer, the lock does not. It is given back at once, when the file is closed.
    match file.try_lock_shared() {
        Ok(()) => return Ok(None),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    let (text, public_url) = read_holder(&mut file);
    let (holder, since) = text.split_once(", since ").map_or((&*text, None), |(holder, since)| (holder, Some(since)));
    Ok(Some(ActiveMaster { epoch: 0, holder: Some(holder.to_owned()), public_url, since: since.map(str::to_owned) }))
}

/// The text that the holder wrote, and its address. It may be writing right now, so an empty or unreadable text is not an error.
fn read_holder(file: &mut File) -> (String, Option<String>) {
    let mut text = String::new();
    let is_read = file.read_to_string(&mut text).is_ok();
    let mut lines = text.lines().map(str::trim).filter(|line| is_read && !line.is_empty()).map(str::to_owned);
    (lines.next().unwrap_or_else(|| "another process".to_owned()), lines.next())
}

fn try_patiently(file: &File) -> Result<(), TryLockError> {
    let mut tried = file.try_lock();
    for _ in 1..TRIES {
        if !matches!(tried, Err(TryLockError::WouldBlock)) {
            break;
        }
        thread::sleep(PAUSE);
        tried = file.try_lock();
    }
    tried
}
