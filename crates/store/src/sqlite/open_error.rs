//! The errors of opening a database, sorted by what a person can do about them.

use std::path::{Path, PathBuf};

use crate::Error;

/// Sorts SQLite's messages by what the user can do. diesel passes on only the message, not the code.
pub(crate) fn open_error(path: &Path, reason: String) -> Error {
    let path = path.to_owned();
    if reason.contains("file is not a database") {
        Error::NotADatabase { path }
    } else if reason.contains("readonly database") {
        if journal_of(&path).exists() { Error::BrokenOff { path } } else { Error::ReadOnly { path } }
    } else if reason.contains("disk I/O error") || reason.contains("disk is full") {
        Error::Open { path, reason: format!("{reason}; free space on its disk, or check that it works") }
    } else if reason.contains("unable to open database file") {
        let hint = "check the permissions of the file and of its folder, in which readers write too; nothing can be read while its disk is read-only";
        Error::Open { path, reason: format!("{reason}; {hint}") }
    } else {
        Error::Open { path, reason }
    }
}

/// SQLite's rollback journal, which exists while a first load is written, and after one that was broken off.
fn journal_of(path: &Path) -> PathBuf {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    journal.into()
}
