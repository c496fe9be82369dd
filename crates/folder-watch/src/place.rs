//! Tells the storage that a folder is on. An unmounted folder leaves an empty one behind, which is not the same as a folder
//! whose files were deleted.

use std::{io, os::fd::AsFd, path::Path};

use rustix::{
    fs::{AtFlags, fstat, statat},
    io::Errno,
};

use crate::{open::open_folder, scan::ScanError};

/// A folder as the file system knows it, whatever its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    /// Whether something is mounted at exactly this folder.
    pub(crate) is_mount: bool,
}

impl Place {
    /// Returns the place of the folder at `root`.
    pub(crate) fn of_root(root: &Path) -> Result<Self, ScanError> {
        let path = root.display().to_string();
        match open_folder(root, Path::new("")).and_then(Self::of) {
            Err(error) if error.raw_os_error() == Some(Errno::NOTDIR.raw_os_error()) => {
                Err(ScanError::NotAFolder(path))
            }
            place => place.map_err(|error| ScanError::reading(path, error)),
        }
    }

    /// Returns the place of an open folder. It has to be open: only that makes an automounter mount it.
    pub(crate) fn of(folder: impl AsFd) -> io::Result<Self> {
        let stat = fstat(&folder)?;
        let is_mount = match is_mount_root(&folder) {
            Some(is_mount) => is_mount,
            None => statat(&folder, "..", AtFlags::empty())?.st_dev != stat.st_dev,
        };
        #[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "integer widths vary")]
        Ok(Self { dev: stat.st_dev as u64, ino: stat.st_ino.into(), is_mount })
    }

    /// Returns why `now`, found at the path of this place, may be other storage than before. Another folder of the same
    /// storage is no reason: programs replace folders.
    pub(crate) fn doubt(self, now: Self) -> Option<&'static str> {
        match (self.is_mount, now.is_mount) {
            (true, false) => Some("nothing is mounted there any more"),
            // Storage that arrives late hides an empty mount point, or one with a few stray files.
            (false, true) => None,
            _ => (self.dev != now.dev).then_some("it is on another device than before"),
        }
    }
}

/// Returns whether an open folder is the root of a mount; `None` if the system does not say. A bind mount of the same device
/// can be told by nothing else.
#[cfg(target_os = "linux")]
fn is_mount_root(folder: impl AsFd) -> Option<bool> {
    use rustix::fs::{StatxAttributes, StatxFlags, statx};
    let stat = statx(folder, "", AtFlags::EMPTY_PATH, StatxFlags::empty()).ok()?;
    let known = stat.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT);
    known.then(|| stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(not(target_os = "linux"))]
fn is_mount_root(_: impl AsFd) -> Option<bool> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_says_whether_it_is_a_mount() {
        let folder = tempfile::tempdir().unwrap();
        let (root, ordinary) = (Place::of_root(Path::new("/")).unwrap(), Place::of_root(folder.path()).unwrap());
        assert!(root.is_mount && !ordinary.is_mount, "{root:?} {ordinary:?}");
        std::fs::write(folder.path().join("a.csv"), "").unwrap();
        let file = Place::of_root(&folder.path().join("a.csv")).unwrap_err();
        assert!(matches!(file, ScanError::NotAFolder(_)), "{file}");
    }

    #[test]
    fn only_other_storage_is_doubtful() {
        let place = |dev, ino, is_mount| Place { dev, ino, is_mount };
        let check = |was: Place, now: Place, expect: Option<&str>| {
            let doubt = was.doubt(now);
            let is_expected = expect.map_or(doubt.is_none(), |word| doubt.is_some_and(|doubt| doubt.contains(word)));
            assert!(is_expected, "{was:?} {now:?}: {doubt:?}");
        };
        check(place(1, 2, false), place(1, 2, false), None);
        check(place(1, 2, false), place(1, 3, false), None);
        check(place(1, 2, true), place(1, 2, true), None);
        check(place(1, 2, false), place(7, 2, true), None);
        check(place(7, 2, true), place(1, 2, false), Some("mounted"));
        check(place(1, 2, true), place(1, 9, false), Some("mounted"));
        check(place(7, 2, true), place(8, 2, true), Some("another device"));
        check(place(7, 2, false), place(8, 2, false), Some("another device"));
    }
}
