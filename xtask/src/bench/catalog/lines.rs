//! The lines of the table, by the names that `--only` takes.

use clap::ValueEnum;

/// A line, or a few that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Line {
    /// A feed from a running data-source into an empty database with `master --once`, and all peers
    Cold,
    /// `master --once` again after one row of that feed has changed
    Change,
    /// `master --once` again after nothing has changed
    Nothing,
    /// One row of that feed changes while a master follows
    Follow,
    /// One row of a feed of 1,000 rows changes while a master follows
    FollowSmall,
    /// 20,000 files of one row into an empty database with `master --once`, and DuckDB
    Files,
    /// That feed in two encodings, read with lenient quotes
    Mixed,
    /// Ten feeds into an empty database with `master --once`
    Ten,
    /// `master --once` again after one row of one of the ten feeds has changed
    TenChange,
    /// 32 connections ask for single products of the ten feeds
    Get,
    /// 32 connections ask for the first page of products
    List,
    /// Edits through the form while a small source changes all the time
    Edit,
    /// Edits through the form while a large version is applied
    EditApply,
    /// 500 sources in which nothing changes
    Sources,
    /// A data-source that serves a file of 2 GB
    Serve,
}

/// Whether any of `lines` is to be measured.
pub(super) fn wants_any(chosen: &[Line], lines: &[Line]) -> bool {
    lines.iter().any(|line| chosen.contains(line))
}
