//! Scans the folder, or stats one path. Links are never followed, and what vanishes meanwhile is simply not there. What
//! cannot be read is noted with its reason: leaving it out would make others drop its rows.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io,
    os::{fd::BorrowedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
};

use rustix::fs::{Dir, FileType};
use tributary_formats::is_hidden;

use crate::{
    left_out::{LeftOutFiles, LeftOutReason},
    offer::Offer,
    open::{is_shortage, is_vanished, kind_in, open_folder, stat_file, stat_in},
    place::Place,
    shared::Shared,
    stat::Stat,
};

/// A scan that did not complete. A file or folder below the root that cannot be read is not an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScanError {
    #[error("cannot read `{path}`: {source}")]
    Io { path: String, source: io::Error },
    #[error("`{0}` is no longer a folder")]
    NotAFolder(String),
    #[error(
        "`{path}` is not the folder that was served: {doubt}, and it lacks the known files; restore it, or restart this \
         program to serve what is there now"
    )]
    OtherStorage { path: String, doubt: &'static str },
    #[error("the folder is no longer watched")]
    Stopping,
}

impl ScanError {
    pub(crate) fn reading(path: impl Into<String>, source: io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }
}

/// Everything that a scan of the folder found.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) files: BTreeMap<String, Stat>,
    /// Offered files that cannot even be statted, and the reason.
    pub(crate) unreadable: BTreeMap<String, String>,
    /// Folders that cannot be listed, and the reason. Each path ends in `/`.
    pub(crate) closed: BTreeMap<String, String>,
    /// The folder that was scanned. `None` before its names were listed.
    pub(crate) place: Option<Place>,
    /// Mount points below it. Each path ends in `/`.
    pub(crate) mounts: BTreeMap<String, Place>,
    /// Everything that is not offered.
    pub(crate) left_out: LeftOutFiles,
    /// Offered files and closed folders whose names are not UTF-8, so no manifest can list them.
    pub(crate) unnameable: Vec<PathBuf>,
}

/// Stats one offered path. The inner result is the path's own: `None` if no regular file is there or a link is on the way to
/// it, or the reason why that is unknown.
pub(crate) fn stat_path(root: &Path, path: &str) -> Result<Result<Option<Stat>, String>, ScanError> {
    match stat_file(root, Path::new(path)) {
        Err(error) if is_shortage(&error) => Err(ScanError::reading(path, error)),
        seen => Ok(seen.map_err(|error| error.to_string())),
    }
}

/// Scans the whole folder. Only the root itself must be readable.
pub(crate) fn scan(root: &Path, offer: &Offer, shared: &Shared) -> Result<Scan, ScanError> {
    let mut found = Scan::default();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        if shared.is_stopping() {
            return Err(ScanError::Stopping);
        }
        let is_root = folder.as_os_str().is_empty();
        match list(root, &folder, offer, (&mut folders, &mut found)) {
            Ok(()) => {}
            Err(error) if is_root || is_shortage(&error) => {
                return Err(ScanError::reading(root.join(folder).display().to_string(), error));
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

/// Adds the offered files of one folder to `found`, and the folders in it to `folders`.
fn list(root: &Path, folder: &Path, offer: &Offer, (folders, found): (&mut Vec<PathBuf>, &mut Scan)) -> io::Result<()> {
    let descriptor = open_folder(root, folder)?;
    note_place(folder, Place::of(&descriptor)?, found);
    let mut names = Dir::new(descriptor)?;
    while let Some(entry) = names.read() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        let path = folder.join(name);
        let shown = path.to_string_lossy();
        let shown_name = name.to_string_lossy();
        if is_hidden(&shown_name) {
            if shown_name != "." && shown_name != ".." {
                found.left_out.add(LeftOutReason::Hidden, &shown);
            }
            continue;
        }
        let kind = match entry.file_type() {
            // Some file systems do not say. The name could be anything and must not be left out, so an error is the
            // folder's.
            FileType::Unknown => kind_in(names.fd()?, name)?,
            kind => kind,
        };
        if kind.is_dir() {
            folders.push(path);
        } else if let Some(reason) = refusal(kind, &shown, offer) {
            found.left_out.add(reason, &shown);
        } else if offer.is_note_in(names.fd()?, name) {
            found.left_out.add(LeftOutReason::Note, &shown);
        } else {
            add_file(names.fd()?, path, found)?;
        }
    }
    Ok(())
}

/// Returns why something that is no folder is not offered. What has vanished meanwhile is not left out: its stat will tell.
fn refusal(kind: FileType, path: &str, offer: &Offer) -> Option<LeftOutReason> {
    match kind {
        FileType::Symlink => Some(LeftOutReason::Link),
        FileType::RegularFile | FileType::Unknown => offer.refuses(path),
        _ => Some(LeftOutReason::NotAFile),
    }
}

fn note_place(folder: &Path, place: Place, found: &mut Scan) {
    match folder.to_str() {
        Some("") => found.place = Some(place),
        Some(folder) if place.is_mount => drop(found.mounts.insert(format!("{folder}/"), place)),
        _ => {}
    }
}

fn add_file(folder: BorrowedFd<'_>, path: PathBuf, found: &mut Scan) -> io::Result<()> {
    let stat = stat_in(folder, path.file_name().unwrap_or_default());
    let path = match path.into_os_string().into_string() {
        Ok(path) => path,
        Err(path) => {
            found.left_out.add(LeftOutReason::Name, &path.to_string_lossy());
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

    use rustix::fs::{CWD, Mode, mknodat};
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
        scan(folder, &Offer::default(), &Shared::default()).unwrap().files.into_keys().collect()
    }

    #[test]
    fn finds_offered_files_at_any_depth() {
        let folder = folder_of(&[
            "b.csv",
            "a/deep/er/c.TXT.gz",
            "a.csv",
            ".git/d.csv",
            "a/.e.csv",
            "f.part",
            "g.csv.tmp",
            "~$b.csv",
        ]);
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
            assert_eq!(stat_path(folder.path(), path).unwrap(), Ok(None), "{path}");
        }
        assert!(stat_path(&other.path().join("root"), "a.csv").unwrap().unwrap().is_some());
    }

    #[test]
    fn what_is_left_out_is_counted_by_its_reason() {
        let folder =
            folder_of(&["a.csv", "~$a.csv", "b.json", "c.xlsx", ".git/d.csv", ".e.csv", "x/README.txt", "x/f.csv"]);
        symlink("a.csv", folder.path().join("x/link.csv")).unwrap();
        symlink("a.csv", folder.path().join("link")).unwrap();
        mknodat(CWD, folder.path().join("pipe.csv"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let filter = crate::Filter::new(|path| path != "x/f.csv");
        let offer = Offer::new(&crate::Options { skip_notes: true, filter, ..crate::Options::default() });
        let found = scan(folder.path(), &offer, &Shared::default()).unwrap();
        assert_eq!(found.files.into_keys().collect::<Vec<_>>(), ["a.csv"]);
        let left_out: Vec<_> =
            found.left_out.iter().map(|(reason, count, path)| (reason.word(), count, path)).collect();
        let expect = [
            ("ending", 1, "b.json"),
            ("workbook", 1, "c.xlsx"),
            ("link", 2, "link"),
            ("hidden", 2, ".e.csv"),
            ("excluded", 1, "x/f.csv"),
            ("owner", 1, "~$a.csv"),
            ("note", 1, "x/README.txt"),
            ("not_a_file", 1, "pipe.csv"),
        ];
        assert_eq!(left_out, expect);
    }

    #[test]
    fn counts_names_that_are_not_utf_8() {
        let folder = folder_of(&["a.csv"]);
        for name in [&b"\xFF.csv"[..], b"\xFF.json"] {
            fs::write(folder.path().join(std::ffi::OsStr::from_bytes(name)), "").unwrap();
        }
        let found = scan(folder.path(), &Offer::default(), &Shared::default()).unwrap();
        assert_eq!((found.files.len(), found.unnameable.len()), (1, 1));
        let left_out: Vec<_> = found.left_out.iter().map(|(reason, count, _)| (reason.word(), count)).collect();
        assert_eq!(left_out, [("ending", 1), ("name", 1)]);
    }

    #[test]
    fn a_missing_folder_is_an_error_that_names_it() {
        let folder = folder_of(&[]);
        let gone = folder.path().join("gone");
        let error = scan(&gone, &Offer::default(), &Shared::default()).unwrap_err().to_string();
        assert!(error.contains("gone"), "{error}");
    }

    #[test]
    fn what_cannot_be_read_is_noted_and_hides_nothing_else() {
        let folder = folder_of(&["a.csv", "closed/b.csv", "closed/deep/c.csv", "listed/d.csv", "listed/sub/e.csv"]);
        let permit = |path: &str, mode| {
            fs::set_permissions(folder.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
        };
        // Without the right to search, names can be listed but not statted.
        permit("closed", 0o000);
        permit("listed", 0o600);
        let found = without_override(|| {
            let seen = stat_path(folder.path(), "listed/d.csv").unwrap();
            assert!(seen.as_ref().is_err_and(|reason| reason.contains("denied")), "{seen:?}");
            scan(folder.path(), &Offer::default(), &Shared::default()).unwrap()
        });
        assert_eq!(found.files.into_keys().collect::<Vec<_>>(), ["a.csv"]);
        assert_eq!(found.unreadable.into_keys().collect::<Vec<_>>(), ["listed/d.csv"]);
        assert_eq!(found.closed.keys().collect::<Vec<_>>(), ["closed/", "listed/sub/"]);
        assert!(found.closed["closed/"].contains("denied"), "{:?}", found.closed);
        permit("closed", 0o700);
        permit("listed", 0o700);
    }
}
