//! The address of a database. Not a connection: nothing is opened or looked for here.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::Error;

/// Bytes that stand for themselves in a SQLite URI; `?`, `#` and `%` above all must not.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// Where a database is: so far always a SQLite file.
///
/// | text | meaning |
/// | --- | --- |
/// | `PATH`, `sqlite:PATH`, `sqlite://PATH` | the SQLite file at `PATH` |
/// | `postgres://…`, `postgresql://…` | an error: this build cannot open it yet |
/// | empty, `:memory:`, any other `…://…` | an error |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    path: PathBuf,
}

impl DatabaseUrl {
    /// The database file, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The URI under which SQLite opens the file. A URI and not the plain path, because only a URI can say "do not
    /// create it", and because names like `:memory:` mean themselves in it.
    pub(crate) fn sqlite_uri(&self, mode: &str) -> String {
        let bytes = self.path.as_os_str().as_encoded_bytes();
        // A path that begins with two slashes would be read as a host name.
        let prefix = if bytes.starts_with(b"//") { "file://" } else { "file:" };
        format!("{prefix}{}?mode={mode}", percent_encode(bytes, ENCODED))
    }
}

impl Default for DatabaseUrl {
    /// `database.db` in the working directory.
    fn default() -> Self {
        DatabaseUrl { path: PathBuf::from("database.db") }
    }
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Err(Error::PostgresUnsupported);
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).unwrap_or(text);
        if path.contains("://") || path == ":memory:" || path.is_empty() || path.contains('\0') {
            return Err(Error::BadUrl { url: scheme_only(text) });
        }
        Ok(DatabaseUrl { path: PathBuf::from(path) })
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())
    }
}

/// The URL without what follows its scheme: a password may stand there, and error texts end up in logs.
fn scheme_only(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://…"),
        None => url.escape_debug().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_file_or_is_refused() {
        let check = |text: &str, expect: Result<&str, &str>| match (DatabaseUrl::from_str(text), expect) {
            (Ok(url), Ok(path)) => assert_eq!(url.path(), Path::new(path), "{text}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text}: {error}"),
            (found, expect) => panic!("{text}: found {found:?}, expected {expect:?}"),
        };
        check("database.db", Ok("database.db"));
        check("/var/lib/a b.db", Ok("/var/lib/a b.db"));
        check("sqlite:data/x.db", Ok("data/x.db"));
        check("sqlite:///data/x.db", Ok("/data/x.db"));
        check("sqlite://x.db", Ok("x.db"));
        check("postgres://me:secret@host/db", Err("not supported yet by this build"));
        check("postgresql://host/db", Err("not supported yet by this build"));
        check("mysql://me:secret@host/db", Err("`mysql://…`"));
        check("", Err("database url"));
        check("sqlite:", Err("database url"));
        check(":memory:", Err("database url"));
    }

    #[test]
    fn the_uri_keeps_every_byte_of_the_path() {
        let check = |text: &str, expect: &str| {
            assert_eq!(DatabaseUrl::from_str(text).unwrap().sqlite_uri("ro"), expect, "{text}");
        };
        check("a.db", "file:a.db?mode=ro");
        check("/t/a?b#c%20.db", "file:/t/a%3Fb%23c%2520.db?mode=ro");
        check("//t/a.db", "file:////t/a.db?mode=ro");
        check("ä.db", "file:%C3%A4.db?mode=ro");
    }
}
