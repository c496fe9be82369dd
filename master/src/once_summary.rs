//! The outcome of `master --once` as one line.

use std::fmt;

use tributary_engine::{OnceSummary, Written};

use crate::http::thousands;

/// Displays a summary on one line.
pub struct SummaryLine<'a>(pub &'a OnceSummary);

impl fmt::Display for SummaryLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OnceSummary { sources, read, removed, written, rejected, tally, failures, took } = self.0;
        let Written { added, updated, removed: gone } = *written;
        let count = |count: u64| thousands(i64::try_from(count).unwrap_or(i64::MAX));
        write!(
            f,
            "{} sources: {} files read, {} removed; {} products (+{} ~{} -{}), {} names, {} rows rejected; {:.1} s",
            count(*sources as u64),
            count(*read as u64),
            count(*removed as u64),
            thousands(tally.products),
            count(added),
            count(updated),
            count(gone),
            thousands(tally.names),
            count(*rejected),
            took.as_secs_f64()
        )?;
        for failure in failures {
            // The summary is one line, whatever a source has written into its answer.
            write!(f, "; {}", failure.replace(char::is_control, " "))?;
        }
        Ok(())
    }
}
