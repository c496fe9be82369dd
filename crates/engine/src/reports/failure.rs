//! The outcome of an attempt to bring a report up to date with a source, and how a failure is stored.

use anyhow::Result;
use tributary_store::{FailedReportRow, Store};

use crate::{clock::now, source::FetchError};

/// Errors that one text names; of the others it says how many there are.
const MAX_NAMED: usize = 3;

/// The outcome of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum AttemptOutcome {
    /// The report is up to date with the source.
    Succeeded,
    /// Files changed while they were read, which is normal once. The next attempt decides; a stored failure stays.
    Raced,
    /// It failed, with the error for people.
    Failed(String),
}

impl AttemptOutcome {
    /// The outcome of an attempt in which these files failed, as path and error. After an attempt that failed, a file that changes
    /// while it is read is a failure too: a report that fails each time must not pass for one that is up to date.
    pub(super) fn of(failed: &[(String, FetchError)], is_retry: bool) -> Self {
        let raced = |error: &FetchError| matches!(error, FetchError::Changed(_));
        if failed.is_empty() {
            Self::Succeeded
        } else if !is_retry && failed.iter().all(|(_, error)| raced(error)) {
            Self::Raced
        } else {
            Self::Failed(joined(failed.iter().map(|(path, error)| format!("{path}: {error:#}"))))
        }
    }
}

/// Stores the outcome of an attempt. Call it in a transaction.
///
/// # Errors
/// The database fails.
pub(super) fn put_outcome(store: &mut Store, report: &str, source_id: i64, outcome: &AttemptOutcome) -> Result<()> {
    match outcome {
        AttemptOutcome::Succeeded => drop(store.clear_report_failure(report, source_id)?),
        AttemptOutcome::Raced => {}
        AttemptOutcome::Failed(error) => {
            let (report, error) = (report.to_owned(), error.clone());
            store.put_report_failure(&FailedReportRow { report, source_id, error, failed_at: now() })?;
        }
    }
    Ok(())
}

/// The first errors in one text, with the number of the others.
pub(crate) fn joined(errors: impl IntoIterator<Item = String>) -> String {
    let mut errors = errors.into_iter();
    let mut named: Vec<String> = errors.by_ref().take(MAX_NAMED).collect();
    match errors.count() {
        0 => {}
        others => named.push(format!("and {others} more")),
    }
    named.join("; ")
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_file_that_changes_while_it_is_read_fails_an_attempt_only_the_second_time() {
        let raced = |path: &str| (path.to_owned(), FetchError::Changed("changed".into()));
        let failed = |path: &str| (path.to_owned(), FetchError::Failed(anyhow!("disk")));
        let check = |failed: Vec<_>, is_retry, expect| assert_eq!(AttemptOutcome::of(&failed, is_retry), expect);
        check(vec![], false, AttemptOutcome::Succeeded);
        check(vec![], true, AttemptOutcome::Succeeded);
        check(vec![raced("a")], false, AttemptOutcome::Raced);
        check(vec![raced("a")], true, AttemptOutcome::Failed("a: changed".into()));
        check(vec![raced("a"), failed("b")], false, AttemptOutcome::Failed("a: changed; b: disk".into()));
    }

    #[test]
    fn of_many_errors_only_the_first_are_named() {
        let check = |count: usize, expect: &str| {
            assert_eq!(joined((0..count).map(|number| number.to_string())), expect);
        };
        check(0, "");
        check(3, "0; 1; 2");
        check(5, "0; 1; 2; and 2 more");
    }
}
