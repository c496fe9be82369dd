//! The lines of the table, by the names that `--only` takes.

use clap::ValueEnum;

/// A line, or a few that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Line {
    /// One stream of each size, beside the peers
    Stream,
    /// The master's memory, from the smallest file to the largest
    Memory,
    /// 32 streams at once, beside one of as many bytes
    Streams,
}
