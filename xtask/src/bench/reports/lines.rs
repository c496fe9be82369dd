//! The lines of the table, by the names that `--only` takes.

use clap::ValueEnum;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Line {
    /// `POST /aggregate` to a data-source that keeps nothing yet, and all peers, for each size
    Partial,
    /// The same request once more
    Again,
    /// What goes over the wire, beside the file
    Answer,
    /// The data-source's memory, from the smallest file to the largest
    Memory,
    /// A file of a million groups
    Groups,
    /// The largest file, sent to a master, beside `cp` of it
    Upload,
}

impl Line {
    /// Those that come of the same rounds, for each size.
    pub(super) const OF_SIZES: [Self; 4] = [Self::Partial, Self::Again, Self::Answer, Self::Memory];
}

/// The lines to measure: those that were named, or all.
pub(super) fn chosen(only: &[Line]) -> Vec<Line> {
    if only.is_empty() { Line::value_variants().to_vec() } else { only.to_vec() }
}
