//! The lines of the table, by the names that `--only` takes.

use clap::ValueEnum;

/// A line, or a few that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Line {
    /// `POST /aggregate` to a data-source that has computed nothing yet, and all peers, for each size
    Partial,
    /// The same request once more
    Again,
    /// Bytes of the answer, beside those of the file
    Answer,
    /// The data-source's memory, from the smallest file to the largest
    Memory,
    /// A file of a million groups
    Groups,
    /// The largest file, uploaded to a master, beside `cp` of it
    Upload,
}

impl Line {
    /// The lines that one set of rounds gives for each size.
    pub(super) const OF_SIZES: [Self; 4] = [Self::Partial, Self::Again, Self::Answer, Self::Memory];
}
