//! The free space of the disk that everything but the database is written to beside it: the database needs it. It writes nothing.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tributary_format_rules::size_text;

/// Bytes that are written between two looks at the free space.
pub(crate) const LOOK_INTERVAL_BYTES: u64 = 32 << 20;

/// Time without a shortage after which it is over.
const CALM: Duration = Duration::from_secs(60);

/// Bytes that this process may still write to the disk that `folder` is on.
pub(crate) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The free space of one disk, and how much of it must stay; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct FreeSpace(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// A folder on the disk.
    folder: PathBuf,
    /// Bytes that must stay free.
    keep: u64,
    /// When there was too little, so that this and its end are logged once. Held only to look at it and to set it.
    last_short: Mutex<Option<Instant>>,
}

impl FreeSpace {
    /// The disk that `folder` is on, of which `keep` bytes must stay free.
    pub(crate) fn new(folder: &Path, keep: u64) -> Self {
        Self(Arc::new(Shared { folder: folder.to_owned(), keep, last_short: Mutex::default() }))
    }

    /// Checks that there is room for this many more bytes.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] if there is not; the disk cannot be asked.
    pub(crate) fn check(&self, bytes: u64) -> io::Result<()> {
        let Shared { folder, keep, .. } = &*self.0;
        if *keep == 0 && bytes == 0 {
            return Ok(());
        }
        let free = free_bytes(folder)?;
        self.note(free);
        if free >= keep.saturating_add(bytes) {
            return Ok(());
        }
        // How much is free changes all the time, and an error that changes would be logged each time.
        let (place, keep) = (folder.display(), size_text(*keep));
        let room = if bytes == 0 { String::new() } else { format!(" for {bytes} bytes") };
        let why = format!("the disk has no room{room}: `keep_free` = {keep} must stay free in {place}");
        Err(io::Error::new(io::ErrorKind::StorageFull, why))
    }

    /// Logs that the disk is short of space, and that it no longer is. A body that is given up frees what it took, so the end must last.
    fn note(&self, free: u64) {
        let Shared { folder, keep, last_short } = &*self.0;
        let mut last_short = last_short.lock().unwrap_or_else(PoisonError::into_inner);
        let (folder, mebibytes) = (folder.display(), free >> 20);
        if free < *keep {
            if last_short.is_none() {
                let keep = size_text(*keep);
                tracing::error!(
                    "the disk of {folder} has only {mebibytes} MiB free; until `keep_free` = {keep} are free again, no large file is fetched"
                );
            }
            *last_short = Some(Instant::now());
        } else if last_short.is_some_and(|at| at.elapsed() >= CALM) {
            tracing::info!("the disk of {folder} has {mebibytes} MiB free again");
            *last_short = None;
        }
    }
}

/// Counts what is written to one file, and looks at the free space now and then.
#[derive(Debug)]
pub(crate) struct SpaceGuard {
    space: FreeSpace,
    /// Bytes since the last look.
    unseen: u64,
}

impl SpaceGuard {
    /// Guards a file on this disk.
    pub(crate) fn new(space: FreeSpace) -> Self {
        Self { space, unseen: 0 }
    }

    /// Notes that this many more bytes are about to be written.
    ///
    /// # Errors
    /// As [`FreeSpace::check`].
    pub(crate) fn note(&mut self, bytes: usize) -> io::Result<()> {
        self.unseen += bytes as u64;
        if self.unseen >= LOOK_INTERVAL_BYTES {
            self.unseen = 0;
            self.space.check(0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_space_is_an_error_that_names_the_setting() {
        let folder = tempfile::tempdir().unwrap();
        let check = |keep, bytes| FreeSpace::new(folder.path(), keep).check(bytes);
        assert!(check(0, 0).is_ok() && check(1, 1).is_ok());
        for (keep, bytes) in [(u64::MAX, 0), (0, u64::MAX), (u64::MAX, u64::MAX)] {
            let error = check(keep, bytes).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            assert!(error.to_string().contains("`keep_free`"), "{error}");
        }
    }

    #[test]
    fn a_guard_looks_every_so_many_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let mut guard = SpaceGuard::new(FreeSpace::new(folder.path(), u64::MAX));
        assert!(guard.note(LOOK_INTERVAL_BYTES as usize - 1).is_ok());
        assert!(guard.note(1).is_err());
        assert!(guard.note(1).is_ok());
    }
}
