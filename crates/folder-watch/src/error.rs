//! Errors of this crate's interface.

use std::{io, path::PathBuf};

/// A folder that cannot be watched at all. A folder that becomes unreadable later is a [`crate::State`], not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The path does not exist, or this user may not access it.
    #[error("cannot access the folder `{}`", path.display())]
    Unreachable {
        /// The folder as the caller named it.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The path exists but is not a folder.
    #[error("`{}` exists but is not a folder", path.display())]
    NotAFolder {
        /// The path as the caller named it.
        path: PathBuf,
    },
    /// The watching thread could not be started.
    #[error("cannot start the thread that watches the folder")]
    Thread(#[source] io::Error),
}

/// An entry whose bytes cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The path holds something else by now, or nothing; a later manifest will say what.
    #[error("`{path}` has changed since the manifest was made")]
    Changed {
        /// The entry's path.
        path: String,
    },
    /// The file exists but cannot be opened.
    #[error("cannot open `{path}`: {source}")]
    Io {
        /// The entry's path.
        path: String,
        /// The system's error.
        source: io::Error,
    },
}
