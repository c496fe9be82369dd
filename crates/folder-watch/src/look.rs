//! Looks at the folder: at one path, or at all of it. Links are never followed, and what vanishes while we look is simply not there.
//! What cannot be read is noted with the reason: a look that left it out would make others drop its rows.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io,
    os::{fd::BorrowedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

use rustix::fs::{Dir, FileType};
use tributary_formats::{has_table_ending, is_hidden};

use crate::{
    Shared,
    open::{is_shortage, is_vanished, kind_in, open_folder, stat_file, stat_in},
    snapshot::Stat,
};

/// Why a look did not come to an end. A file or a folder below the root that cannot be read is not among these.
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
    /// Offered files of which not even the stat can be had, and why.
    pub(crate) unreadable: BTreeMap<String, String>,
    /// Folders that cannot be listed, each with a `/` at its end, and why.
    pub(crate) closed: BTreeMap<String, String>,
    /// Names that are not UTF-8 and would have to be looked at: no manifest could name them.
    pub(crate) unnameable: Vec<PathBuf>,
}

/// Looks at one offered path; `None` if no regular file is there or a link is on the way to it, a reason if that cannot be
/// found out.
pub(crate) fn look_at(root: &Path, path: &str) -> Result<Result<Option<Stat>, String>, Trouble> {
    match stat_file(root, Path::new(path)) {
        Err(error) if is_shortage(&error) => Err(Trouble::reading(path, error)),
        looked => Ok(looked.map_err(|error| error.to_string())),
    }
}

/// Looks at the whole folder. What cannot be read below it is noted; only the folder itself must be readable.
pub(crate) fn look_at_all(root: &Path, shared: &Shared) -> Result<Found, Trouble> {
    let mut found = Found::default();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        if shared.stopping.load(Ordering::Relaxed) {
            return Err(Trouble::Stopping);
        }
        let is_root = folder.as_os_str().is_empty();
        match list(root, &folder, &mut folders, &mut found) {
            Ok(()) => {}
            Err(error) if is_root || is_shortage(&error) => {
                return Err(Trouble::reading(root.join(folder).display().to_string(), error));
            }
            Err(error) if is_vanished(&error) => {}
            Err(error) => match folder.into_os_string().into_string() {
                Ok(folder) => drop(found.closed.insert(format!("{folder}/"), error.to_string())),
                Err(folder) => found.unnameable.push(folder.into()),
            },
        }
    }
    Ok(found)
}

/// Notes the offered files of one folder, and the folders in it.
fn list(root: &Path, folder: &Path, folders: &mut Vec<PathBuf>, found: &mut Found) -> io::Result<()> {
    let mut names = Dir::new(open_folder(root, folder)?)?;
    while let Some(entry) = names.read() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        // `.` and `..` count as hidden.
        if is_hidden(&name.to_string_lossy()) {
            continue;
        }
        let kind = match entry.file_type() {
            // Some file systems do not say. A name that could be anything must not be left out, so an error is the folder's.
            FileType::Unknown => kind_in(names.fd()?, name)?,
            kind => kind,
        };
        if kind.is_dir() {
            folders.push(folder.join(name));
        } else if kind.is_file() && has_table_ending(&name.to_string_lossy()) {
            note(names.fd()?, folder.join(name), found)?;
        }
    }
    Ok(())
}

fn note(folder: BorrowedFd<'_>, path: PathBuf, found: &mut Found) -> io::Result<()> {
    let stat = stat_in(folder, path.file_name().unwrap_or_default());
    let path = match path.into_os_string().into_string() {
        Ok(path) => path,
        Err(path) => {
            found.unnameable.push(path.into());
            return Ok(());
        }
    };
    match stat {
        Ok(Some(stat)) => drop(found.files.insert(path, stat)),
        Ok(None) => {}
        Err(error) if is_shortage(&error) => return Err(error),
        Err(error) => drop(found.unreadable.insert(path, error.to_string())),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use tributary_testkit::privileges::without_override;

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
            assert_eq!(look_at(folder.path(), path).unwrap(), Ok(None), "{path}");
        }
        assert!(look_at(&other.path().join("root"), "a.csv").unwrap().unwrap().is_some());
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

    #[test]
    fn what_cannot_be_read_is_noted_and_hides_nothing_else() {
        let folder = folder_of(&["a.csv", "closed/b.csv", "closed/deep/c.csv", "listed/d.csv", "listed/sub/e.csv"]);
        let permit = |path: &str, mode| {
            fs::set_permissions(folder.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
        };
        // Names can be listed without the right to search, but not looked at.
        permit("closed", 0o000);
        permit("listed", 0o600);
        let found = without_override(|| {
            let blind = look_at(folder.path(), "listed/d.csv").unwrap();
            assert!(blind.as_ref().is_err_and(|reason| reason.contains("denied")), "{blind:?}");
            look_at_all(folder.path(), &Shared::default()).unwrap()
        });
        assert_eq!(found.files.into_keys().collect::<Vec<_>>(), ["a.csv"]);
        assert_eq!(found.unreadable.into_keys().collect::<Vec<_>>(), ["listed/d.csv"]);
        assert_eq!(found.closed.keys().collect::<Vec<_>>(), ["closed/", "listed/sub/"]);
        assert!(found.closed["closed/"].contains("denied"), "{:?}", found.closed);
        permit("closed", 0o700);
        permit("listed", 0o700);
    }
}
