//! The errors of opening a database, sorted by what a person can do about them.

use std::path::Path;

use crate::Error;

/// Sorts SQLite's messages by what the user can do. diesel passes on only the message, not the code.
pub(crate) fn open_error(path: &Path, reason: String) -> Error {
    let path = path.to_owned();
    if reason.contains("file is not a database") {
        Error::NotADatabase { path }
    } else if reason.contains("readonly database") {
        Error::ReadOnly { path }
    } else {
        Error::Open { path, reason }
    }
}
