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
