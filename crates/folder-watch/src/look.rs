//! Looks at the folder: at one path, or at all of it. Links are never followed, and what vanishes while we look is simply not there.
//! Any other failure is an error with its path: a look that left files out would make others drop their rows.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

use rustix::fs::{AtFlags, Dir, FileType, statat};
use tributary_formats::{has_table_ending, is_hidden};

use crate::{
    Shared,
    open::{is_vanished, open_folder, stat_file, stat_in},
    snapshot::Stat,
};

/// Why a look did not come to an end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("cannot read `{path}`: {source}")]
    Io { path: String, source: io::Error },
    #[error("`{0}` is no folder any more")]
    NotAFolder(String),
    #[error("the folder is no longer watched")]
    Stopping,
}

impl Trouble {
    pub(crate) fn reading(path: impl Into<String>, source: io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }
}

/// What a look at the whole folder found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) files: BTreeMap<String, Stat>,
    /// Names that are not UTF-8 and would have to be looked at: no manifest could name them.
    pub(crate) unnameable: Vec<PathBuf>,
}

/// Looks at one offered path; `None` if no regular file is there or a link is on the way to it.
pub(crate) fn look_at(root: &Path, path: &str) -> Result<Option<Stat>, Trouble> {
    stat_file(root, Path::new(path)).map_err(|error| Trouble::reading(path, error))
}

/// Looks at the whole folder.
pub(crate) fn look_at_all(root: &Path, shared: &Shared) -> Result<Found, Trouble> {
    let mut found = Found::default();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        if shared.stopping.load(Ordering::Relaxed) {
            return Err(Trouble::Stopping);
        }
        match list(root, &folder, &mut folders, &mut found) {
            Err(error) if is_vanished(&error) && !folder.as_os_str().is_empty() => {}
            Err(error) => return Err(Trouble::reading(root.join(folder).display().to_string(), error)),
            Ok(()) => {}
        }
    }
    Ok(found)
}

/// Notes the offered files of one folder, and the folders in it.
fn list(root: &Path, folder: &Path, folders: &mut Vec<PathBuf>, found: &mut Found) -> io::Result<()> {
    let open = open_folder(root, folder)?;
    for entry in Dir::read_from(&open)? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        // `.` and `..` count as hidden.
        if is_hidden(&name.to_string_lossy()) {
            continue;
        }
        // Some file systems do not say what a name stands for.
        let kind = match entry.file_type() {
            FileType::Unknown => statat(&open, name, AtFlags::SYMLINK_NOFOLLOW)
                .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode)),
            kind => kind,
        };
        if kind.is_dir() {
            folders.push(folder.join(name));
        } else if kind.is_file() && has_table_ending(&name.to_string_lossy()) {
            note(&open, folder.join(name), found)?;
        }
    }
    Ok(())
}

fn note(folder: &OwnedFd, path: PathBuf, found: &mut Found) -> io::Result<()> {
    let Some(stat) = stat_in(folder, path.file_name().unwrap_or_default())? else { return Ok(()) };
    match path.into_os_string().into_string() {
        Ok(path) => drop(found.files.insert(path, stat)),
        Err(path) => found.unnameable.push(path.into()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    /// Writes empty files, with the folders that they need.
    fn folder_of(paths: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for path in paths {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    fn paths(folder: &Path) -> Vec<String> {
        look_at_all(folder, &Shared::default()).unwrap().files.into_keys().collect()
    }

    #[test]
    fn finds_offered_files_at_any_depth() {
        let folder =
            folder_of(&["b.csv", "a/deep/er/c.TXT.gz", "a.csv", ".git/d.csv", "a/.e.csv", "f.part", "g.csv.tmp"]);
        fs::create_dir(folder.path().join("folder.csv")).unwrap();
        assert_eq!(paths(folder.path()), ["a.csv", "a/deep/er/c.TXT.gz", "b.csv"]);
    }

    #[test]
    fn follows_no_link_but_the_folder_itself() {
        let folder = folder_of(&["a.csv"]);
        let other = folder_of(&["b.csv", "sub/c.csv"]);
        symlink(other.path().join("b.csv"), folder.path().join("link.csv")).unwrap();
        symlink(other.path(), folder.path().join("linked")).unwrap();
        symlink(folder.path(), other.path().join("root")).unwrap();
        assert_eq!(paths(&other.path().join("root")), ["a.csv"]);
        for path in ["link.csv", "linked/b.csv", "linked/sub/c.csv", "a.csv/b.csv", "none.csv", "none/a.csv"] {
            assert_eq!(look_at(folder.path(), path).unwrap(), None, "{path}");
        }
        assert!(look_at(&other.path().join("root"), "a.csv").unwrap().is_some());
    }

    #[test]
    fn sets_aside_names_that_are_not_utf_8() {
        let folder = folder_of(&["a.csv"]);
        for name in [&b"\xFF.csv"[..], b"\xFF.json"] {
            fs::write(folder.path().join(std::ffi::OsStr::from_bytes(name)), "").unwrap();
        }
        let found = look_at_all(folder.path(), &Shared::default()).unwrap();
        assert_eq!((found.files.len(), found.unnameable.len()), (1, 1));
    }

    #[test]
    fn a_folder_that_is_not_there_is_trouble() {
        let folder = folder_of(&[]);
        let gone = folder.path().join("gone");
        let trouble = look_at_all(&gone, &Shared::default()).unwrap_err().to_string();
        assert!(trouble.contains("gone"), "{trouble}");
    }
}
