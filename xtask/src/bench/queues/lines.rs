//! The lines of the table, by the names that `--only` takes.

use clap::ValueEnum;

/// A line, or a few that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Line {
    /// Operations from a full queue, by the master and by two consumers in Python
    Full,
    /// Operations that are published while the master takes them
    Sustained,
    /// Documents through three relays
    Documents,
    /// The memory of a relay with 64 documents of 1 MiB in hand
    Memory,
}
