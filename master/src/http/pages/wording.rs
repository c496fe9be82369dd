//! How counts, times and links are written on the pages.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A text as a part of a query: all but the unreserved letters of RFC 3986 is encoded.
pub(crate) fn encoded(text: &str) -> String {
    const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, &KEPT).to_string()
}

/// A count with its thousands set apart.
pub(crate) fn thousands(count: i64) -> String {
    tributary_cli_common::text::thousands(count.unsigned_abs())
}

/// So many of something, as a person says it.
pub(crate) fn counted(count: i64, what: &str) -> String {
    format!("{} {what}{}", thousands(count), if count == 1 { "" } else { "s" })
}

/// A stored time to the second; the pages say that it is UTC.
pub(crate) fn people_time(at: &str) -> String {
    at.get(..19).unwrap_or(at).replace('T', " ")
}
