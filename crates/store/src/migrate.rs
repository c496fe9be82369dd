//! The schema's versions: which migrations a database has, and applying those that it lacks. What a migration does is
//! in `migrations/`, embedded at build time.

use std::path::Path;

use diesel::{
    migration::{Migration, MigrationSource},
    prelude::*,
    sqlite::Sqlite,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{
    Error, Store,
    connection::{AnyConnection, open_error},
    error::{Doing, message},
    schema::__diesel_schema_migrations::dsl,
};

/// The migrations of a SQLite database.
pub(crate) const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Applies what the database lacks; each migration is a transaction of its own.
pub(crate) fn bring_up_to_date(store: &mut Store, path: &Path) -> Result<(), Error> {
    match check(store, path) {
        Err(Error::NotSetUp { .. } | Error::OlderSchema { .. }) => {}
        done => return done,
    }
    let applied = match &mut store.connection {
        AnyConnection::Sqlite(sqlite) => sqlite.run_pending_migrations(SQLITE).map(|versions| versions.len()),
    };
    let applied = applied.map_err(|error| migrate_error(path, &error.to_string()))?;
    tracing::info!(migrations = applied, "set up the schema of {}", path.display());
    Ok(())
}

/// Compares the database's migrations with the embedded ones, without changing anything.
pub(crate) fn check(store: &mut Store, path: &Path) -> Result<(), Error> {
    let known = known_versions(path)?;
    let applied = match applied_versions(store) {
        Ok(versions) => versions,
        Err(Error::Query { source, .. }) if message(&source).contains("no such table") => Vec::new(),
        Err(Error::Query { source, .. }) => return Err(open_error(path, message(&source))),
        Err(error) => return Err(error),
    };
    if applied.is_empty() {
        return Err(Error::NotSetUp { path: path.to_owned() });
    }
    if let Some(version) = applied.iter().find(|version| !known.contains(version)) {
        return Err(Error::NewerSchema { path: path.to_owned(), version: version.clone() });
    }
    if known.iter().any(|version| !applied.contains(version)) {
        return Err(Error::OlderSchema { path: path.to_owned() });
    }
    Ok(())
}

fn known_versions(path: &Path) -> Result<Vec<String>, Error> {
    let migrations: Vec<Box<dyn Migration<Sqlite>>> =
        SQLITE.migrations().map_err(|error| migrate_error(path, &error.to_string()))?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn applied_versions(store: &mut Store) -> Result<Vec<String>, Error> {
    dsl::__diesel_schema_migrations
        .select(dsl::version)
        .order(dsl::version)
        .load(&mut store.connection)
        .doing(|| "read which migrations were applied")
}

fn migrate_error(path: &Path, reason: &str) -> Error {
    if reason.contains("readonly database") {
        return Error::ReadOnly { path: path.to_owned() };
    }
    Error::Migrate { path: path.to_owned(), reason: reason.to_owned() }
}
