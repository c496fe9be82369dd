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
        let hint = HINTS.iter().find(|(known, _)| reason.contains(known)).map(|(_, hint)| format!("; {hint}"));
        Error::Open { path, reason: reason + &hint.unwrap_or_default() }
    }
}

/// SQLite's words, and what to do then.
const HINTS: [(&str, &str); 4] = [
    ("disk I/O error", "free space on its disk, or check that it works"),
    ("disk is full", "free space on its disk"),
    ("database is locked", "another program has it in a transaction; end that"),
    (
        "unable to open database file",
        "check the permissions of the file and of its folder, in which readers write too, and that its disk is not read-only",
    ),
];

/// SQLite's rollback journal, which exists while a first load is written, and after one that was broken off.
fn journal_of(path: &Path) -> PathBuf {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    journal.into()
}
