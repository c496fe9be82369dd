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
    /// The mount that the folder is on: a number that is not used again until the next boot. `None` if the system gives none.
    pub(crate) mount: Option<u64>,
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
        let (is_mount, mount) = mount_of(&folder);
        let is_mount = match is_mount {
            Some(is_mount) => is_mount,
            None => statat(&folder, "..", AtFlags::empty())?.st_dev != stat.st_dev,
        };
        #[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "integer widths vary")]
        Ok(Self { dev: stat.st_dev as u64, ino: stat.st_ino.into(), is_mount, mount })
    }

    /// Returns why `now`, found at the path of this place, may be other storage than before. Another folder of the same
    /// storage is no reason: programs replace folders.
    pub(crate) fn doubt(self, now: Self) -> Option<&'static str> {
        match (self.is_mount, now.is_mount) {
            (true, false) => Some("nothing is mounted there any more"),
            // Storage that arrives late hides an empty mount point, or one with a few stray files.
            (false, true) => None,
            _ if self.dev != now.dev => Some("it is on another device than before"),
            // File systems without a block device share their numbers: the next one gets the number of the last one.
            _ => self.mount.zip(now.mount).and_then(|(was, is)| (was != is).then_some("it was mounted anew")),
        }
    }
}

/// Returns whether an open folder is the root of a mount, since Linux 5.8, and the number of its mount, since 6.8. A bind mount
/// of the same device can be told by nothing else.
#[cfg(target_os = "linux")]
fn mount_of(folder: impl AsFd) -> (Option<bool>, Option<u64>) {
    use rustix::fs::{StatxAttributes, StatxFlags, statx};
    /// `STATX_MNT_ID_UNIQUE`.
    const UNIQUE_MOUNT: u32 = 0x4000;
    let asked = StatxFlags::from_bits_retain(UNIQUE_MOUNT);
    let Ok(stat) = statx(folder, "", AtFlags::EMPTY_PATH, asked) else { return (None, None) };
    let is_known = stat.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT);
    let is_root = stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
    (is_known.then_some(is_root), (stat.stx_mask & UNIQUE_MOUNT != 0).then_some(stat.stx_mnt_id))
}

#[cfg(not(target_os = "linux"))]
fn mount_of(_: impl AsFd) -> (Option<bool>, Option<u64>) {
    (None, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_says_whether_it_is_a_mount() {
        let folder = tempfile::tempdir().unwrap();
        let (root, ordinary) = (Place::of_root(Path::new("/")).unwrap(), Place::of_root(folder.path()).unwrap());
        assert!(root.is_mount && !ordinary.is_mount, "{root:?} {ordinary:?}");
        let proc = Place::of_root(Path::new("/proc")).unwrap();
        assert!(root.mount.is_none() || root.mount != proc.mount, "{root:?} {proc:?}");
        std::fs::write(folder.path().join("a.csv"), "").unwrap();
        let file = Place::of_root(&folder.path().join("a.csv")).unwrap_err();
        assert!(matches!(file, ScanError::NotAFolder(_)), "{file}");
    }

    #[test]
    fn only_other_storage_is_doubtful() {
        let place = |dev, ino, is_mount| Place { dev, ino, is_mount, mount: None };
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
        let on = |mount| Place { mount: Some(mount), ..place(7, 2, true) };
        check(on(1), on(1), None);
        check(on(1), on(2), Some("anew"));
        check(on(1), place(7, 2, true), None);
    }
}
