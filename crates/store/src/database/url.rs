//! The address of a database, parsed from text. Nothing is opened or looked up here.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::error::Error;

/// The address of a database, so far always the path of a SQLite file.
///
/// | text | meaning |
/// | --- | --- |
/// | `PATH`, `sqlite:PATH`, `sqlite://PATH` | the SQLite file at `PATH` |
/// | `postgres://…`, `postgresql://…` | an error: not supported yet |
/// | empty, `:memory:`, any other `…://…` | an error |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    path: PathBuf,
}

impl DatabaseUrl {
    /// The path of the database file, as given.
    pub fn path(&self) -> &Path {
        &self.path
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

/// Cuts a URL after its scheme: the rest may hold a password, and error texts end up in logs.
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
}
