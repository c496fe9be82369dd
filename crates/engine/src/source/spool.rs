//! The spool: a folder for bodies between fetching and reading them, and for sorted rows beyond the memory budget.
//!
//! It stands beside the database and is emptied at start. Its bodies are bounded by the few files that a pass fetches at a
//! time, and by the free space of the disk. A number over all sources would let slow ones hold up the others.

use std::{
    fs::File,
    io::{self, Cursor, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result};
use bytes::Bytes;
use tempfile::SpooledTempFile;
use tributary_store::spool_path;

use super::arrival::{Arrival, BodyFollower, BodyWriter, CorePermit};
use crate::disk::{FreeSpace, SpaceGuard};

/// Bytes of a buffer that are kept in memory.
pub(super) const MAX_BUFFER_BYTES: usize = 1 << 20;

/// The folder; clones share it.
#[derive(Clone)]
pub(crate) struct Spool {
    folder: Arc<PathBuf>,
    next: Arc<AtomicU64>,
    space: FreeSpace,
}

/// Largest announced size of a body that is kept in memory: a file of its own costs more than reading it.
const MAX_SMALL_BYTES: u64 = 64 << 10;

/// A body that is still empty.
pub(crate) enum NewBody {
    /// It goes to a file of the spool.
    File { body: FileBody, writer: BodyWriter },
    /// It is small and stays in memory.
    Memory,
}

/// A complete body.
pub(crate) enum SpooledBody {
    /// In a file of the spool.
    File(FileBody),
    /// In memory.
    Memory(Bytes),
}

/// A file of the spool, which is deleted when this is dropped.
pub(crate) struct FileBody {
    path: PathBuf,
    arrival: Arc<Arrival>,
}

/// Reads a complete body.
pub(crate) enum BodyReader {
    File(File),
    Memory(Cursor<Bytes>),
}

impl Spool {
    /// Opens the spool of a database and deletes what an earlier process left in it. It leaves `keep_free` bytes on its disk. The caller
    /// holds the database's lock.
    ///
    /// # Errors
    /// The folder cannot be created or emptied.
    pub(crate) fn open(database: &Path, keep_free: u64) -> Result<Self> {
        let folder = spool_path(database);
        std::fs::create_dir_all(&folder).with_context(|| format!("failed to create the spool {}", folder.display()))?;
        empty(&folder).with_context(|| format!("failed to empty the spool {}", folder.display()))?;
        let space = FreeSpace::new(&folder, keep_free);
        Ok(Self { folder: Arc::new(folder), next: Arc::default(), space })
    }

    /// The spool of a master that only reads: it is never used, and the folder is that of another process.
    pub(crate) fn unused(database: &Path) -> Self {
        let folder = spool_path(database);
        let space = FreeSpace::new(&folder, 0);
        Self { folder: Arc::new(folder), next: Arc::default(), space }
    }

    /// Creates an empty body for `size` bytes, as far as that is known.
    ///
    /// # Errors
    /// The disk has no room for it; the file cannot be created.
    pub(crate) fn new_body(&self, size: Option<u64>) -> Result<NewBody> {
        if size.is_some_and(|size| size <= MAX_SMALL_BYTES) {
            return Ok(NewBody::Memory);
        }
        self.new_file(size)
    }

    /// Creates an empty body that so many others may ask for, too: in a file, because it may be kept with many.
    ///
    /// # Errors
    /// As of [`Self::new_body`].
    pub(crate) fn new_body_for(&self, size: u64, others: usize) -> Result<NewBody> {
        if others > 0 { self.new_file(Some(size)) } else { self.new_body(Some(size)) }
    }

    fn new_file(&self, size: Option<u64>) -> Result<NewBody> {
        self.restore_folder()
            .and_then(|()| self.space.check(size.unwrap_or_default()))
            .with_context(|| format!("failed to write to the spool {}", self.folder.display()))?;
        let path = self.folder.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let file = File::create_new(&path).with_context(|| format!("failed to create {}", path.display()))?;
        let arrival = Arc::new(Arrival::default());
        let body = FileBody { path, arrival: Arc::clone(&arrival) };
        Ok(NewBody::File { body, writer: BodyWriter { file, arrival, guard: self.guard() } })
    }

    /// Looks after the free space while something is written to the spool.
    pub(crate) fn guard(&self) -> SpaceGuard {
        SpaceGuard::new(self.space.clone())
    }

    /// Creates a buffer for content that is usually small. Beyond 1 MiB it moves from memory to an unnamed file.
    pub(crate) fn buffer(&self) -> SpooledTempFile {
        // If this fails, so does the write beyond 1 MiB, which has a reason, too.
        let _ = self.restore_folder();
        tempfile::spooled_tempfile_in(MAX_BUFFER_BYTES, self.folder.as_path())
    }

    /// Creates an empty unnamed file for writing and reading. It is gone when it is closed, even by SIGKILL.
    ///
    /// # Errors
    /// The disk has no room; the file cannot be created.
    pub(crate) fn unnamed(&self) -> io::Result<File> {
        self.restore_folder()?;
        self.space.check(0)?;
        let path = self.folder.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(file)
    }

    /// Creates the folder again if somebody has deleted it.
    fn restore_folder(&self) -> io::Result<()> {
        match std::fs::create_dir(self.folder.as_path()) {
            Ok(()) => {
                let folder = self.folder.display();
                tracing::warn!("the spool {folder} was deleted while the master runs: created it again");
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Deletes the files whose names are numbers. Others are not ours.
fn empty(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

impl SpooledBody {
    /// Opens the body for reading.
    pub(crate) fn open(&self) -> io::Result<BodyReader> {
        Ok(match self {
            Self::File(body) => BodyReader::File(File::open(&body.path)?),
            Self::Memory(bytes) => BodyReader::Memory(Cursor::new(bytes.clone())),
        })
    }
}

impl NewBody {
    /// Opens the body for reading while it is still arriving; `None` if it stays in memory.
    pub(crate) fn follow(&self, core: CorePermit) -> Option<io::Result<BodyFollower>> {
        let Self::File { body, .. } = self else { return None };
        let follower = |file| BodyFollower { file, read: 0, arrival: Arc::clone(&body.arrival), core };
        Some(File::open(&body.path).map(follower))
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Memory(bytes) => bytes.read(buffer),
        }
    }
}

impl Drop for FileBody {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, "failed to delete {} from the spool: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Every large file failed without a path until a restart.
    #[test]
    fn a_folder_that_was_deleted_is_created_again_and_named_if_it_cannot_be() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("data");
        std::fs::create_dir(&folder).unwrap();
        let spool = Spool::open(&folder.join("database.db"), 1).unwrap();
        let delete = || std::fs::remove_dir_all(folder.join("database.db.spool")).unwrap();
        delete();
        drop(spool.new_body(Some(MAX_SMALL_BYTES + 1)).unwrap());
        delete();
        spool.unnamed().unwrap();
        delete();
        spool.buffer().write_all(&vec![0; MAX_BUFFER_BYTES + 1]).unwrap();
        delete();
        std::fs::remove_dir(&folder).unwrap();
        let error = format!("{:#}", spool.new_body(None).err().unwrap());
        assert!(error.starts_with("failed to write to the spool ") && error.contains("database.db.spool: "), "{error}");
    }
}
