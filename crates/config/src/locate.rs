//! The place of the database: the flag, the environment, the configuration file, the default.

use std::{ffi::OsString, fs, io, path::Path};

use tributary_store::DatabaseUrl;

use crate::{ConfigError, DEFAULT_FILE, file};

/// The environment variables, the stronger first.
const VARIABLES: [&str; 2] = ["TRIBUTARY_DATABASE_URL", "DATABASE_URL"];

/// Finds the database of a program that needs no other setting: `flag` beats the variables `TRIBUTARY_DATABASE_URL` and
/// `DATABASE_URL` (an empty one counts as unset), which beat `database_url` in `./tributary.toml`, which beats `database.db`.
///
/// The rest of the file may be wrong, except for misspelt top-level keys: `database_ur` would silently select another database.
///
/// # Errors
/// The URL is malformed, or the file cannot be read.
pub fn locate_database(flag: Option<&str>) -> Result<DatabaseUrl, ConfigError> {
    locate_in(flag, |name| std::env::var_os(name), Path::new(DEFAULT_FILE))
}

/// The database named by the flag or else the environment, if either names one.
pub(crate) fn given(flag: Option<&str>) -> Result<Option<DatabaseUrl>, ConfigError> {
    given_by(flag, |name| std::env::var_os(name))
}

fn locate_in(
    flag: Option<&str>,
    variable: impl Fn(&str) -> Option<OsString>,
    path: &Path,
) -> Result<DatabaseUrl, ConfigError> {
    if let Some(url) = given_by(flag, variable)? {
        return Ok(url);
    }
    match fs::read_to_string(path) {
        Ok(text) => Ok(file::database_url(path, &text)?.unwrap_or_default()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(DatabaseUrl::default()),
        Err(why) => Err(ConfigError(format!("failed to read the configuration {}: {why}", path.display()))),
    }
}

fn given_by(
    flag: Option<&str>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<DatabaseUrl>, ConfigError> {
    if let Some(flag) = flag {
        return parse(flag).map(Some);
    }
    let Some(value) = VARIABLES.into_iter().filter_map(variable).find(|value| !value.is_empty()) else {
        return Ok(None);
    };
    parse(&value.to_string_lossy()).map(Some)
}

fn parse(url: &str) -> Result<DatabaseUrl, ConfigError> {
    url.parse().map_err(|why: tributary_store::Error| ConfigError(why.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Locates with a flag, both variables and a file's text; gives the path or the error's text.
    fn locate(flag: Option<&str>, variables: [Option<&str>; 2], text: Option<&str>) -> String {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join(DEFAULT_FILE);
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
        check(
            "\n\ndatabase_url = 5\n",
            "tributary.toml, line 3: database_url: invalid type: integer `5`, expected a string",
        );
        check(
            "listen = 1\ndatabase_url = \"postgres://h\"\n",
            "tributary.toml, line 2: database_url: the database url `postgres://…` names no database",
        );
        check("listen = 1\nlisten = 2\n", "tributary.toml, line 2: duplicate key");
        check("\ndatabase_ur = 1\n", "tributary.toml, line 2: unknown field `database_ur`");
    }
}
