//! Bounds on what one source may hold, and on what all share. Beyond its own a source is in trouble, and keeps what was applied.

use serde::Deserialize;
use toml::Spanned;

/// Bounds of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceLimits {
    /// Most files. Default: 1,000,000.
    pub max_files: u64,
    /// Largest file in bytes, as it is sent. Default: 64 GiB.
    pub max_file_size: u64,
    /// Most rows set aside that are kept, over all of its files; others are counted. Default: 100,000.
    pub max_rejects: u64,
}

impl Default for SourceLimits {
    fn default() -> Self {
        Self { max_files: 1_000_000, max_file_size: 64 << 30, max_rejects: 100_000 }
    }
}

/// Bounds of the memory that all share. A reload does not change them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all bodies of requests that are being received. Default: 48 MiB.
    pub bodies: u64,
    /// Files of a version that are read before they are applied. Default: 10,000.
    pub files_per_part: usize,
    /// Most followers of the events. Default: 1,000.
    pub followers: usize,
    /// Bytes of the lists of files of all sources. Default: 192 MiB.
    pub lists: u64,
    /// Bytes of sorted rows in memory; others go to the spool. Default: 48 MiB.
    pub sorted_rows: u64,
    /// Bytes of the groups of all reports that are being computed; others go to the spool. Default: 64 MiB.
    pub report_memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bodies: 48 << 20,
            files_per_part: 10_000,
            followers: 1_000,
            lists: 192 << 20,
            sorted_rows: 48 << 20,
            report_memory: 64 << 20,
        }
    }
}

/// `[limits]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsAsTyped {
    pub(super) bodies: Option<Spanned<String>>,
    pub(super) files_per_part: Option<Spanned<u64>>,
    pub(super) followers: Option<Spanned<u64>>,
    pub(super) lists: Option<Spanned<String>>,
    pub(super) sorted_rows: Option<Spanned<String>>,
    pub(super) report_memory: Option<Spanned<String>>,
}

/// Parses the number of files of a part.
pub(super) fn files_per_part(count: &u64) -> Result<usize, String> {
    match usize::try_from(*count) {
        Ok(0) => Err("a part without a file is none: write a number from 1".to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Ok(usize::MAX),
    }
}

/// Parses the number of followers.
pub(super) fn followers(count: &u64) -> Result<usize, String> {
    /// A connection takes some 20 KiB.
    const MOST: usize = 20_000;
    let count = usize::try_from(*count).unwrap_or(usize::MAX);
    if count > MOST { Err(format!("{count} followers are too many: write at most {MOST}")) } else { Ok(count) }
}

/// The free space that everything but the database leaves on its disk.
pub(super) const DEFAULT_KEEP_FREE: u64 = 1 << 30;

/// Parses a number of files.
pub(super) fn max_files(count: &u64) -> Result<u64, String> {
    match count {
        0 => Err("a source without a file is none: write a number from 1".to_owned()),
        count => Ok(*count),
    }
}
