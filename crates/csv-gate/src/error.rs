//! Errors that concern a whole file. Rows that could not be used are not errors: see [`crate::Rejects`].

use std::{fmt, io};

/// The reason why a file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The content is at fault: reading the same bytes again gives the same result.
    #[error("{0}")]
    Rejected(FileReject),
    /// The settings cannot work for any file.
    #[error("{0}")]
    Settings(String),
    /// Only for [`crate::Table::open_once`]: the rest of the file contradicts its beginning. Discard what was read and
    /// open the file again with [`crate::Table::open`].
    #[error("the file cannot be read in one pass: open it again and survey all of it first")]
    NeedsTwoPasses,
    /// The caller's reader failed. This says nothing about the content, so the same file may be good later.
    #[error("cannot read the file's bytes")]
    Io(#[from] io::Error),
}

/// The reason why a whole file is rejected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileReject {
    /// The physical line at fault, counted from 1; 0 if no single line is.
    pub line: u64,
    /// The fault and how to fix it.
    pub reason: String,
    /// The line's text, cut like the text of a rejected row; empty if there is no line.
    pub raw: String,
    /// The names in the header if it lacks a column, so that people can map them; else empty.
    pub header: Vec<String>,
}

impl FileReject {
    /// The rejection of a file without a particular line.
    #[must_use]
    pub fn of_file(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..Self::default() }
    }
}

impl fmt::Display for FileReject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.reason),
            line => write!(f, "line {line}: {}", self.reason),
        }
    }
}

impl Error {
    /// Rejects the file as a whole, without a particular line.
    pub(crate) fn file(reason: impl Into<String>) -> Self {
        Self::Rejected(FileReject::of_file(reason))
    }

    /// Rejects the file because of one line.
    pub(crate) fn line(line: u64, reason: impl Into<String>, raw: String) -> Self {
        Self::Rejected(FileReject { line, raw, ..FileReject::of_file(reason) })
    }
}
