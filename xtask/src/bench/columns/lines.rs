//! The lines of the table, by the names that `--only` takes.

use clap::ValueEnum;

/// A line, or a few that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Line {
    /// A feed into an empty database with `master --once`, with and without own columns, and DuckDB; and the sizes of the databases
    Cold,
    /// `master --once` again after one row of that feed has changed
    Change,
    /// Products of one brand over HTTP, with an index and without one
    Brand,
    /// The products of the greatest price over HTTP, with an index and without one
    Sort,
}

impl Line {
    /// Those of the feed that is loaded in rounds.
    pub(super) const OF_ROUNDS: [Self; 2] = [Self::Cold, Self::Change];
    /// Those that ask a running master.
    pub(super) const OF_REQUESTS: [Self; 2] = [Self::Brand, Self::Sort];
}
