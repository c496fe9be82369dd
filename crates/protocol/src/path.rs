//! Paths of a manifest in URLs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Encodes a manifest's path for the URL `/read/{path}`: percent-encoded except letters, digits, `-._~` and `/`.
#[must_use]
pub fn encoded_path(path: &str) -> String {
    const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
    utf8_percent_encode(path, &KEPT).to_string()
}
