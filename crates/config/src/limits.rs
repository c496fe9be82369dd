//! Bounds on what one source may hold. Beyond them it is in trouble, and keeps what was applied.

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

/// The free space that everything but the database leaves on its disk.
pub(super) const DEFAULT_KEEP_FREE: u64 = 1 << 30;

/// Parses a number of files.
pub(super) fn max_files(count: &u64) -> Result<u64, String> {
    match count {
        0 => Err("a source without a file is none: write a number from 1".to_owned()),
        count => Ok(*count),
    }
}
