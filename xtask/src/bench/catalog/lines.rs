//! The lines of the table, by the names that `--only` takes.

use clap::ValueEnum;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Line {
    /// A feed from a running data-source into an empty database by `master --once`, and all peers
    Cold,
    /// One row of that feed has changed, `master --once` again
    Change,
    /// Nothing has changed, `master --once` again
    Nothing,
    /// One row of that feed changes while a master follows
    Follow,
    /// One row of a feed of 1,000 rows changes while a master follows
    FollowSmall,
    /// Ten feeds into an empty database by `master --once`
    Ten,
    /// One row of one of the ten feeds has changed, `master --once` again
    TenChange,
    /// One product of the ten feeds, asked for by 32 connections
    Get,
    /// The first page of products, asked for by 32 connections
    List,
    /// Edits by the form while a small source changes all the time
    Edit,
    /// Edits by the form while a large version is applied
    EditApply,
    /// 500 sources of which nothing changes
    Sources,
    /// A data-source that serves a file of 2 GB
    Serve,
}

/// The lines to measure: those that were named, or all.
pub(super) fn chosen(only: &[Line]) -> Vec<Line> {
    if only.is_empty() { Line::value_variants().to_vec() } else { only.to_vec() }
}

/// Whether any of `lines` is to be measured.
pub(super) fn wants_any(chosen: &[Line], lines: &[Line]) -> bool {
    lines.iter().any(|line| chosen.contains(line))
}
