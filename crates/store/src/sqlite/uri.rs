//! The URI under which SQLite opens a file.

use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// Every byte that is not plainly part of a path; unescaped, `?`, `#` and `%` would have a meaning of their own.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// The URI of a file. Only a URI can say "do not create it", and only in a URI is a name like `:memory:` an ordinary name.
pub(crate) fn sqlite_uri(path: &Path, mode: &str) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    // SQLite would read a path that begins with two slashes as a host name.
    let prefix = if bytes.starts_with(b"//") { "file://" } else { "file:" };
    format!("{prefix}{}?mode={mode}", percent_encode(bytes, ESCAPED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uri_keeps_every_byte_of_the_path() {
        let check = |path: &str, expect: &str| assert_eq!(sqlite_uri(Path::new(path), "ro"), expect, "{path}");
        check("a.db", "file:a.db?mode=ro");
        check("/t/a?b#c%20.db", "file:/t/a%3Fb%23c%2520.db?mode=ro");
        check("//t/a.db", "file:////t/a.db?mode=ro");
        check("ä.db", "file:%C3%A4.db?mode=ro");
    }
}
