//! The spool: where bodies lie between their fetch and their gate, each deleted as soon as it was read, and where sorted rows
//! lie that memory has no room for. Bodies are bounded by the few files that a pass fetches at one time; a bound over all sources
//! would let slow ones keep the others waiting. The folder stands beside the database and is emptied at start.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result};
use tempfile::SpooledTempFile;

use super::arrival::{Arrival, Core, Follower, Incoming};

/// Bytes that are not worth a file.
const SMALL: usize = 1 << 20;

/// The spool's folder.
#[derive(Clone)]
pub(crate) struct Spool {
    folder: Arc<PathBuf>,
    next: Arc<AtomicU64>,
}

/// A place in the spool: what will be the body, and the way in, with nothing in it yet.
pub(crate) type Place = (Spooled, Incoming);

/// One spooled body; its file is deleted when this is dropped.
pub(crate) struct Spooled {
    path: PathBuf,
    arrival: Arc<Arrival>,
}

impl Spool {
    /// Opens the spool of a database, without what an earlier process left in it. The caller holds the database's lock.
    ///
    /// # Errors
    /// The folder cannot be made or emptied.
    pub(crate) fn open(database: &Path) -> Result<Self> {
        let mut folder = database.as_os_str().to_owned();
        folder.push(".spool");
        let folder = PathBuf::from(folder);
        std::fs::create_dir_all(&folder).with_context(|| format!("failed to make the spool {}", folder.display()))?;
        empty(&folder).with_context(|| format!("failed to empty the spool {}", folder.display()))?;
        Ok(Self { folder: Arc::new(folder), next: Arc::default() })
    }

    /// Makes an empty file.
    ///
    /// # Errors
    /// The file cannot be made.
    pub(crate) fn place(&self) -> Result<Place> {
        let path = self.folder.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let file = File::create_new(&path).with_context(|| format!("failed to make {}", path.display()))?;
        let arrival = Arc::new(Arrival::default());
        Ok((Spooled { path, arrival: Arc::clone(&arrival) }, Incoming { file, arrival }))
    }

    /// A place for something that is small as a rule: in memory up to a MiB, in a file without a name beyond that.
    pub(crate) fn buffer(&self) -> SpooledTempFile {
        tempfile::spooled_tempfile_in(SMALL, self.folder.as_path())
    }

    /// Makes an empty file without a name, to be written and read: it is gone when it is closed, even by SIGKILL.
    ///
    /// # Errors
    /// The file cannot be made.
    pub(crate) fn unnamed(&self) -> io::Result<File> {
        let path = self.folder.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(file)
    }
}

/// Deletes what an earlier process has left: files whose names are numbers, and nothing else that may lie there.
fn empty(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

impl Spooled {
    /// Opens the body for reading, once all of it is here.
    pub(crate) fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// Opens the body for reading while it is still arriving.
    pub(crate) fn follow(&self, core: Core) -> io::Result<Follower> {
        Ok(Follower { file: self.open()?, read: 0, arrival: Arc::clone(&self.arrival), core })
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, "cannot delete the spooled file {}: {error}", self.path.display());
        }
    }
}
