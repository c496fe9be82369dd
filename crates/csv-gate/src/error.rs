//! Why a whole file could not be read. Rows that could not be used are no errors: see [`crate::Rejects`].

use std::{fmt, io};

/// Reading a file failed as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The content is at fault: reading the same bytes again gives the same answer.
    #[error("{0}")]
    Rejected(FileReject),
    /// What was set cannot work, whatever the file holds.
    #[error("{0}")]
    Settings(String),
    /// Only from a file of [`crate::Table::open_once`]: it is not what its beginning made it look like. Nothing that was
    /// read of it counts; it has to be opened again with [`crate::Table::open`].
    #[error("the file cannot be read in one pass: it has to be opened again and looked at as a whole first")]
    Misjudged,
    /// The reader that the gate was handed failed. Nothing is known of the content, so the same file may be good later.
    #[error("cannot read the file's bytes")]
    Io(#[from] io::Error),
}

/// Why a file is a rejected file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReject {
    /// The physical line at fault, counted from 1; 0 where it is no one line's fault.
    pub line: u64,
    /// What is wrong and what would mend it.
    pub reason: String,
    /// The line's text, cut like that of a row's reject; empty where there is no line.
    pub raw: String,
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
    /// The whole file is at fault, no line of it in particular.
    pub(crate) fn file(reason: impl Into<String>) -> Self {
        Self::line(0, reason, String::new())
    }

    /// The file is rejected because of one line.
    pub(crate) fn line(line: u64, reason: impl Into<String>, raw: String) -> Self {
        Self::Rejected(FileReject { line, reason: reason.into(), raw })
    }
}
