//! The address of a database, parsed from text. Nothing is opened or looked up here.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::error::Error;
use crate::postgres::name_in;

/// The address of a database.
///
/// | text | meaning |
/// | --- | --- |
/// | `PATH`, `sqlite:PATH`, `sqlite://PATH` | the SQLite file at `PATH` |
/// | `postgres://USER:PASSWORD@HOST/NAME`, `postgresql://…` | a database of a PostgreSQL server, as libpq reads it |
/// | empty, `:memory:`, any other `…://…` | an error |
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    location: Location,
    /// The path that the files of its master are beside.
    place: PathBuf,
}

/// As it is shown to people.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// The place of a database.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// The path of a SQLite file, as given.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server: the URL with its password, for libpq.
    Postgres(String),
}

impl DatabaseUrl {
    /// The path that a master's other files are beside, each with an ending of its own: the SQLite file, or the name of the database in the
    /// working directory.
    #[must_use]
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// The same database, with the other files of its master in a folder, under the same names.
    #[must_use]
    pub fn working_in(self, folder: &Path) -> Self {
        let place = folder.join(self.place.file_name().unwrap_or_default());
        Self { place, ..self }
    }

    /// The SQLite file; `None` if it is a database of a server.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.location {
            Location::Sqlite(path) => Some(path),
            Location::Postgres(_) => None,
        }
    }

    /// The SQLite file; for a database of a server, which has none, the same as [`Self::place`].
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file().unwrap_or(&self.place)
    }

    /// Whether it is a database of a PostgreSQL server, which may have several masters.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.postgres().is_some()
    }

    /// The URL for libpq.
    pub(crate) fn postgres(&self) -> Option<&str> {
        match &self.location {
            Location::Sqlite(_) => None,
            Location::Postgres(address) => Some(address),
        }
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    fn of_file(path: PathBuf) -> Self {
        Self { location: Location::Sqlite(path.clone()), place: path }
    }
}

impl Default for DatabaseUrl {
    /// `database.db` in the working directory.
    fn default() -> Self {
        Self::of_file(PathBuf::from("database.db"))
    }
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::BadUrl { url: scheme_only(text) };
        if text.contains('\0') {
            return Err(bad());
        }
        if let Some(rest) = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://")) {
            let name = name_in(rest).map_err(|fault| Error::BadPostgresUrl { fault })?;
            let is_plain = |sign: char| sign.is_alphanumeric() || matches!(sign, '-' | '_' | '.');
            let place: String = name.chars().map(|sign| if is_plain(sign) { sign } else { '_' }).collect();
            let place = format!("./{}", place.trim_start_matches('.'));
            return Ok(Self { location: Location::Postgres(text.to_owned()), place: place.into() });
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).unwrap_or(text);
        if path.contains("://") || path == ":memory:" || path.is_empty() || is_for_a_server(path) {
            return Err(bad());
        }
        Ok(Self::of_file(PathBuf::from(path)))
    }
}

/// A path, or the URL without user, password and parameters.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Location::Sqlite(path) => write!(f, "{}", path.display()),
            Location::Postgres(address) => f.write_str(&without_secrets(address)),
        }
    }
}

/// Whether a text that is no URL is meant for a PostgreSQL server: a mistyped one, or parameters of libpq. As the path of a file, it would show
/// its password.
fn is_for_a_server(text: &str) -> bool {
    let text = text.trim_start().to_ascii_lowercase();
    let mut words = text.split_whitespace();
    ["postgres:", "postgresql:"].iter().any(|scheme| text.starts_with(scheme))
        || words.any(|word| word.starts_with("password=") || word.starts_with("dbname="))
}

/// Cuts a URL after its scheme, and another text for a server after its first word: the rest may hold a password, and error texts end up in logs.
fn scheme_only(url: &str) -> String {
    match (url.split_once("://"), url.split_once([':', '='])) {
        (Some((scheme, _)), _) => format!("{}://…", scheme.escape_debug()),
        (None, Some((word, _))) if is_for_a_server(url) => format!("{}…", word.escape_debug()),
        _ => url.escape_debug().to_string(),
    }
}

/// Host and name of a database on a server.
fn without_secrets(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.split_once('?').map_or(rest, |(before, _)| before);
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    format!("postgres://{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_file_or_is_refused() {
        let check = |text: &str, expect: Result<&str, &str>| match (DatabaseUrl::from_str(text), expect) {
            (Ok(url), Ok(place)) => {
                assert_eq!(
                    (url.place(), url.is_postgres()),
                    (Path::new(place), text.starts_with("postgres")),
                    "{text}"
                );
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text}: {error}"),
            (found, expect) => panic!("{text}: found {found:?}, expected {expect:?}"),
        };
        check("database.db", Ok("database.db"));
        check("/var/lib/a b.db", Ok("/var/lib/a b.db"));
        check("sqlite:data/x.db", Ok("data/x.db"));
        check("sqlite:///data/x.db", Ok("/data/x.db"));
        check("sqlite://x.db", Ok("x.db"));
        check("postgres://me:secret@host/db", Ok("./db"));
        check("postgresql://host/a%20b?sslmode=require", Ok("./a_20b"));
        check("postgres://me:a@secret@host/db", Err("as %40"));
        check("Postgres://me:secret@host/db", Err("`Postgres://…`"));
        check("postgres:me:secret@host/db", Err("`postgres…`"));
        check(" postgresql:/me:secret@host/db", Err("` postgresql…`"));
        check("host=h user=me password=secret dbname=db", Err("`host…`"));
        check("postgres://me:secret@host/", Err("names no database"));
        check("mysql://me:secret@host/db", Err("`mysql://…`"));
        check("", Err("database url"));
        check("sqlite:", Err("database url"));
        check(":memory:", Err("database url"));
    }

    #[test]
    fn no_text_of_it_has_its_password() {
        let url: DatabaseUrl = "postgres://me:sec%40ret@host:5432/db?password=other".parse().unwrap();
        assert_eq!(url.to_string(), "postgres://host:5432/db");
        assert!(!format!("{url:?}").contains("sec"), "{url:?}");
        assert_eq!(url.postgres(), Some("postgres://me:sec%40ret@host:5432/db?password=other"));
        assert_eq!(url.file(), None);
    }

    #[test]
    fn other_files_may_be_elsewhere() {
        let url: DatabaseUrl = "postgres://host/shop".parse().unwrap();
        let url = url.working_in(Path::new("/var/lib/tributary"));
        assert_eq!(
            (url.place(), url.to_string().as_str()),
            (Path::new("/var/lib/tributary/shop"), "postgres://host/shop")
        );
        let url = "data/x.db".parse::<DatabaseUrl>().unwrap().working_in(Path::new("work"));
        assert_eq!((url.place(), url.file()), (Path::new("work/x.db"), Some(Path::new("data/x.db"))));
    }
}
