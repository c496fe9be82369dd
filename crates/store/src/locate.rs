//! Where the database is when a program starts: what was typed, the environment, the configuration file, the default.
//! Reads one key of the file; the rest of it is the master's affair.

use std::{ffi::OsString, fs, io, path::Path, str::FromStr};

use serde::{Deserialize, de::IgnoredAny};
use toml::Spanned;

use crate::{DatabaseUrl, Error};

/// The configuration file, looked for in the working directory.
const FILE: &str = "tributary.toml";

/// The environment variables, the stronger first.
const VARIABLES: [&str; 2] = ["TRIBUTARY_DATABASE_URL", "DATABASE_URL"];

const DEFAULT: &str = "database.db";

/// The part of the configuration file that counts here. The master's keys are named so that a misspelt `database_url` is
/// told from them: it would make another database than the one that was meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    database_url: Option<Spanned<String>>,
    #[serde(rename = "listen")]
    _listen: Option<IgnoredAny>,
    #[serde(rename = "poll_interval")]
    _poll_interval: Option<IgnoredAny>,
    #[serde(rename = "allowed_hosts")]
    _allowed_hosts: Option<IgnoredAny>,
    #[serde(rename = "token_file")]
    _token_file: Option<IgnoredAny>,
    #[serde(rename = "allow_anonymous")]
    _allow_anonymous: Option<IgnoredAny>,
    #[serde(rename = "source")]
    _source: Option<IgnoredAny>,
    #[serde(rename = "report")]
    _report: Option<IgnoredAny>,
    #[serde(rename = "uploads")]
    _uploads: Option<IgnoredAny>,
}

impl DatabaseUrl {
    /// Finds the database's URL: `flag` beats the variables `TRIBUTARY_DATABASE_URL` and `DATABASE_URL` (an empty one
    /// counts as not set), which beat `database_url` in `./tributary.toml`, which beats `database.db`.
    ///
    /// # Errors
    /// [`Error::BadUrl`], [`Error::PostgresUnsupported`]; [`Error::Configuration`] and [`Error::ConfigurationFile`]
    /// when it comes to the file.
    pub fn locate(flag: Option<&str>) -> Result<DatabaseUrl, Error> {
        locate_in(flag, |name| std::env::var_os(name), Path::new(FILE))
    }

    /// The first part of [`DatabaseUrl::locate`], for a program that reads the configuration file itself: what the flag
    /// says, or else the environment.
    ///
    /// # Errors
    /// [`Error::BadUrl`], [`Error::PostgresUnsupported`].
    pub fn told(flag: Option<&str>) -> Result<Option<DatabaseUrl>, Error> {
        told_by(flag, |name| std::env::var_os(name))
    }
}

impl Default for DatabaseUrl {
    /// `database.db` in the working directory.
    fn default() -> Self {
        DatabaseUrl::from_str(DEFAULT).expect("the default is a path")
    }
}

fn locate_in(
    flag: Option<&str>,
    variable: impl Fn(&str) -> Option<OsString>,
    file: &Path,
) -> Result<DatabaseUrl, Error> {
    if let Some(url) = told_by(flag, variable)? {
        return Ok(url);
    }
    match fs::read_to_string(file) {
        Ok(text) => from_configuration(&text, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(DatabaseUrl::default()),
        Err(source) => Err(Error::ConfigurationFile { path: file.to_owned(), source }),
    }
}

fn told_by(flag: Option<&str>, variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<DatabaseUrl>, Error> {
    if let Some(flag) = flag {
        return flag.parse().map(Some);
    }
    let Some(value) = VARIABLES.into_iter().filter_map(variable).find(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let text = value.into_string().map_err(|text| Error::BadUrl { url: text.to_string_lossy().into_owned() })?;
    text.parse().map(Some)
}

fn from_configuration(text: &str, file: &Path) -> Result<DatabaseUrl, Error> {
    let wrong = |at: usize, reason: String| {
        let line = 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        Error::Configuration { path: file.to_owned(), line, reason }
    };
    let configuration: Configuration = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        wrong(at, error.message().to_owned())
    })?;
    match configuration.database_url {
        Some(url) => url.get_ref().parse().map_err(|error: Error| wrong(url.span().start, error.to_string())),
        None => Ok(DatabaseUrl::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Locates with a flag, both variables and a file's text; gives the path or the error's text.
    fn locate(flag: Option<&str>, variables: [Option<&str>; 2], text: Option<&str>) -> String {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join(FILE);
        if let Some(text) = text {
            fs::write(&file, text).unwrap();
        }
        let variable = |name: &str| {
            let place = VARIABLES.iter().position(|variable| *variable == name).unwrap();
            variables[place].map(OsString::from)
        };
        match locate_in(flag, variable, &file) {
            Ok(url) => url.to_string(),
            Err(error) => error.to_string().replace(&format!("{}/", folder.path().display()), ""),
        }
    }

    #[test]
    fn the_stronger_place_wins() {
        let text = "listen = 1\ndatabase_url = \"file.db\"\n[[source]]\nunknown = true\n";
        let check = |flag, variables, text, expect: &str| assert_eq!(locate(flag, variables, text), expect);
        check(Some("flag.db"), [Some("a.db"), Some("b.db")], Some(text), "flag.db");
        check(None, [Some("a.db"), Some("b.db")], Some(text), "a.db");
        check(None, [None, Some("sqlite:b.db")], Some(text), "b.db");
        check(None, [Some(""), Some("b.db")], Some("broken ["), "b.db");
        check(None, [None, Some("")], Some(text), "file.db");
        check(None, [None, None], Some("listen = 1"), "database.db");
        check(None, [None, None], Some("[uploads]\nmax_size = \"1GiB\"\n[[report]]\nname = \"r\"\n"), "database.db");
        check(None, [None, None], None, "database.db");
    }

    #[test]
    fn a_file_that_cannot_be_understood_is_named_with_the_line() {
        let check = |text, expect: &str| {
            let error = locate(None, [None, None], Some(text));
            assert!(error.starts_with(expect), "{error}");
        };
        check("a = 1\nb = [\n", "tributary.toml, line 2: ");
        check("\n\ndatabase_url = 5\n", "tributary.toml, line 3: invalid type: integer `5`, expected a string");
        check(
            "listen = 1\ndatabase_url = \"postgres://h/d\"\n",
            "tributary.toml, line 2: postgres urls are not supported",
        );
        check("listen = 1\nlisten = 2\n", "tributary.toml, line 2: duplicate key");
        check("\ndatabase_ur = 1\n", "tributary.toml, line 2: unknown field `database_ur`");
    }
}
