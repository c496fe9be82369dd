//! Counts, as the database holds them.

/// A count for the database. None comes near the limit.
pub(crate) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count from the database, which holds none below zero.
pub(crate) fn loaded(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
