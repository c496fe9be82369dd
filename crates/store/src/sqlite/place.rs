//! Whether a database still has its path. SQLite writes on to a file that was deleted, and all of that is lost when it is closed.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use crate::{Error, Store};

/// Identifies an open file: the numbers of its device and of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity(u64, u64);

impl FileIdentity {
    /// The file at a path; `None` if there is none.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|found| Self(found.dev(), found.ino()))
    }
}

impl Store {
    /// Checks that the path of the database still leads to the file that is open. It asks the system once and reads nothing.
    ///
    /// # Errors
    /// [`Error::Displaced`].
    pub(crate) fn check_file(&self) -> Result<(), Error> {
        let path = self.url.path();
        if FileIdentity::at(path) == self.file { Ok(()) } else { Err(Error::Displaced { path: path.to_owned() }) }
    }
}
