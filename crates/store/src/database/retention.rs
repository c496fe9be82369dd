//! Which of the oldest rows of a log are old enough to be deleted.

/// The last of the `first` rows, numbers with times in order of the numbers, up to which all are old: numbered `keep_after` or lower, or
/// earlier than `oldest`.
pub(crate) fn last_old(first: &[(i64, String)], keep_after: i64, oldest: &str) -> Option<i64> {
    let is_old = |(no, at): &&(i64, String)| *no <= keep_after || at.as_str() < oldest;
    first.iter().take_while(is_old).last().map(|(no, _)| *no)
}
