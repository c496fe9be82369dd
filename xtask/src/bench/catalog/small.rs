//! One row of a small file changes while a master follows: the time beyond the settle time.

use anyhow::Result;

use crate::bench::{figures::Spread, follow::follow, table::Row};

const ROWS: u64 = 1_000;
const CHANGES: usize = 30;
/// The median of a change, in seconds.
const MAX_SECONDS: f64 = 0.250;

/// Measures the line `follow-small`.
pub(super) fn measure() -> Result<Vec<Row>> {
    eprintln!("following {CHANGES} changes of a file of {ROWS} rows");
    let changes = follow(ROWS, "50ms", CHANGES)?;
    let median = Spread::of_times(changes.iter().map(|change| change.master.wall)).median;
    let what = format!("follow-small: the same, one row of 1,000 changed, {CHANGES} times");
    Ok(vec![Row::of_passes(what, &changes).target("<= 250 ms", median <= MAX_SECONDS)])
}
