//! Formats counts, times and links for the pages.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Percent-encodes a text for a query: all but the unreserved characters of RFC 3986.
pub(crate) fn encoded(text: &str) -> String {
    const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, &KEPT).to_string()
}

/// Formats a count with thousands separators.
pub(crate) fn thousands(count: i64) -> String {
    tributary_cli_common::text::thousands(count.unsigned_abs())
}

/// Formats a count with its noun.
pub(crate) fn counted(count: i64, what: &str) -> String {
    format!("{} {what}{}", thousands(count), if count == 1 { "" } else { "s" })
}

/// Words for rows that were set aside, and for files that were rejected as a whole; `None` if there are neither.
pub(crate) fn set_aside(rows: i64, files: i64) -> Option<String> {
    let files = (files > 0).then(|| format!("{} rejected", counted(files, "file")));
    let rows = (rows > 0).then(|| format!("{} set aside", counted(rows, "row")));
    let words: Vec<String> = files.into_iter().chain(rows).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Cuts a stored time to the second; the pages say that it is UTC.
pub(crate) fn people_time(at: &str) -> String {
    at.get(..19).unwrap_or(at).replace('T', " ")
}

/// Turns the text of an error or of a reason into a sentence.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Formats a duration in seconds.
pub(crate) fn people_seconds(duration: std::time::Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejected_file_is_never_nothing() {
        assert_eq!(set_aside(0, 0), None);
        assert_eq!(set_aside(0, 1).as_deref(), Some("1 file rejected"));
        assert_eq!(set_aside(1_200, 0).as_deref(), Some("1,200 rows set aside"));
        assert_eq!(set_aside(1, 2).as_deref(), Some("2 files rejected, 1 row set aside"));
    }
}
