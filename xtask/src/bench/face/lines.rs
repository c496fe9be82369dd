//! The tables of the section, by the names that `--only` takes.

use clap::ValueEnum;

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Line {
    /// The server's time of every page of a large catalog
    Pages,
    /// The bytes of `/` with its assets, beside Streamlit's first load; of the same catalog
    Bytes,
    /// From a changed file to open pages and Socket.IO clients, and their cost while nothing changes
    Change,
}

impl Line {
    /// Those that need the large catalog.
    pub(super) const OF_CATALOG: [Self; 2] = [Self::Pages, Self::Bytes];
}
