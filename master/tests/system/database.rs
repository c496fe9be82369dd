//! The database of a system: a SQLite file in its folder, or a schema of the PostgreSQL server that the tests are given.

use std::path::{Path, PathBuf};

use tributary_store::DatabaseUrl;
use tributary_testkit::postgres::{self, Schema};

/// The variable from which all programs take the URL of the database.
const VARIABLE: &str = "DATABASE_URL";
/// The file of a system, which programs use without being told of it.
const DEFAULT_FILE: &str = "database.db";

pub(crate) enum Database {
    /// The name of a file in the folder of the system.
    File(String),
    Server(Schema),
}

impl Database {
    /// An empty one: on the server if the tests are given one, else a file.
    pub(super) fn new() -> Self {
        postgres::server().map_or_else(Self::file, |server| Self::Server(Schema::create(&server)))
    }

    /// The default file.
    pub(super) fn file() -> Self {
        Self::File(DEFAULT_FILE.to_owned())
    }

    /// An empty one of the same kind beside it.
    pub(super) fn another(&self) -> Self {
        match self {
            Self::File(name) => Self::File(format!("another-{name}")),
            Self::Server(_) => Self::new(),
        }
    }

    /// The variable that a program needs.
    pub(super) fn variable(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::File(name) if name == DEFAULT_FILE => None,
            Self::File(name) => Some((VARIABLE, name)),
            Self::Server(schema) => Some((VARIABLE, &schema.url)),
        }
    }

    /// The URL as a flag has it, which names a file by its scheme.
    pub(super) fn flag(&self) -> String {
        match self {
            Self::File(name) => format!("sqlite:{name}"),
            Self::Server(schema) => schema.url.clone(),
        }
    }

    pub(super) fn url(&self, home: &Path) -> DatabaseUrl {
        match self {
            Self::File(name) => home.join(name).to_str().unwrap().parse().unwrap(),
            Self::Server(schema) => schema.url.parse::<DatabaseUrl>().unwrap().working_in(home),
        }
    }

    /// The path of a file beside it, such as `uploads`.
    pub(super) fn beside(&self, home: &Path, ending: &str) -> PathBuf {
        let mut path = self.url(home).place().to_owned().into_os_string();
        path.push(".");
        path.push(ending);
        path.into()
    }

    /// Whether anything was written.
    pub(super) fn exists(&self, home: &Path) -> bool {
        match self {
            Self::File(name) => home.join(name).exists(),
            Self::Server(schema) => {
                schema.psql("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").trim() != "0"
            }
        }
    }
}
