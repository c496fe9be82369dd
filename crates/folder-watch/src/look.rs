//! Looks at the folder: at one path, or at all of it. Links are never followed, and what vanishes while we look is simply not there.
//! Any other failure is an error with its path: a look that left files out would make others drop their rows.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

use tributary_formats::{has_table_ending, is_hidden};
use walkdir::{DirEntry, WalkDir};

use crate::{Shared, snapshot::Stat};

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

/// Whether the error says that there is no such file: it, or a folder above it, was removed or replaced.
pub(crate) fn is_vanished(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Looks at one offered path; `None` if no regular file is there or a link is on the way to it.
pub(crate) fn look_at(root: &Path, path: &str) -> Result<Option<Stat>, Trouble> {
    let mut place = root.to_owned();
    let mut names = path.split('/').peekable();
    while let Some(name) = names.next() {
        place.push(name);
        let metadata = match fs::symlink_metadata(&place) {
            Ok(metadata) => metadata,
            Err(error) if is_vanished(&error) => return Ok(None),
            Err(error) => return Err(Trouble::reading(path, error)),
        };
        if names.peek().is_none() {
            return Ok(metadata.is_file().then(|| Stat::of(&metadata)));
        }
        if !metadata.is_dir() {
            return Ok(None);
        }
    }
    Ok(None)
}

/// Looks at the whole folder.
pub(crate) fn look_at_all(root: &Path, shared: &Shared) -> Result<Found, Trouble> {
    let mut found = Found::default();
    for entry in WalkDir::new(root).into_iter().filter_entry(is_visible) {
        if shared.stopping.load(Ordering::Relaxed) {
            return Err(Trouble::Stopping);
        }
        match entry {
            Ok(entry) => note(root, &entry, &mut found)?,
            Err(error) if error.depth() > 0 && error.io_error().is_some_and(is_vanished) => {}
            Err(error) => {
                let path = error.path().unwrap_or(root).display().to_string();
                return Err(Trouble::reading(path, error.into()));
            }
        }
    }
    Ok(found)
}

fn is_visible(entry: &DirEntry) -> bool {
    entry.depth() == 0 || !is_hidden(&entry.file_name().to_string_lossy())
}

fn note(root: &Path, entry: &DirEntry, found: &mut Found) -> Result<(), Trouble> {
    let is_table = entry.file_type().is_file() && has_table_ending(&entry.file_name().to_string_lossy());
    let Ok(path) = entry.path().strip_prefix(root) else { return Ok(()) };
    let Some(path) = path.to_str() else {
        if is_table {
            found.unnameable.push(path.to_owned());
        }
        return Ok(());
    };
    if !is_table {
        return Ok(());
    }
    match fs::symlink_metadata(entry.path()) {
        Ok(metadata) if metadata.is_file() => {
            found.files.insert(path.to_owned(), Stat::of(&metadata));
        }
        Ok(_) => {}
        Err(error) if is_vanished(&error) => {}
        Err(error) => return Err(Trouble::reading(path, error)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::{ffi::OsStrExt, fs::symlink};

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
