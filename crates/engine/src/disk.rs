//! The free space of the disk that everything but the database is written to beside it: the database needs it. It writes nothing.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tributary_format_rules::size_text;

/// Bytes that are written between two looks at the free space.
pub(crate) const LOOK_INTERVAL_BYTES: u64 = 32 << 20;

/// The free space of one disk, and how much of it must stay; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct FreeSpace(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// A folder on the disk.
    folder: PathBuf,
    /// Bytes that must stay free.
    keep: u64,
    /// Whether there is too little, so that this and its end are logged once.
    is_short: AtomicBool,
}

impl FreeSpace {
    /// The disk that `folder` is on, of which `keep` bytes must stay free.
    pub(crate) fn new(folder: &Path, keep: u64) -> Self {
        Self(Arc::new(Shared { folder: folder.to_owned(), keep, is_short: AtomicBool::new(false) }))
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
        let disk = rustix::fs::statvfs(folder)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        self.note(free);
        if free >= keep.saturating_add(bytes) {
            return Ok(());
        }
        let (place, free, keep) = (folder.display(), mebibytes(free), size_text(*keep));
        let why = match bytes {
            0 => format!("the disk has no room: {free} are free in {place}, and `keep_free` = {keep} must stay free"),
            bytes => format!(
                "the disk has no room for {bytes} bytes: {free} are free in {place}, and `keep_free` = {keep} must stay free"
            ),
        };
        Err(io::Error::new(io::ErrorKind::StorageFull, why))
    }

    /// Logs that the disk is short of space, and that it is no longer.
    fn note(&self, free: u64) {
        let Shared { folder, keep, is_short } = &*self.0;
        let is_short_now = free < *keep;
        if is_short.swap(is_short_now, Ordering::Relaxed) == is_short_now {
            return;
        }
        let (folder, free, keep) = (folder.display(), mebibytes(free), size_text(*keep));
        match is_short_now {
            true => tracing::error!(
                "the disk of {folder} has only {free} free; until `keep_free` = {keep} are free again, no large file is fetched"
            ),
            false => tracing::info!("the disk of {folder} has {free} free again"),
        }
    }
}

/// A size that is no whole number of anything.
fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
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
