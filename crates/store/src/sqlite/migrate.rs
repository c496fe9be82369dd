//! Migrations: which ones a database has, and applying the others. Their SQL is in `migrations/`, embedded at build time.

use std::path::Path;

use diesel::{
    migration::{Migration, MigrationSource},
    prelude::*,
    sqlite::Sqlite,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::open_error::open_error;
use crate::{
    Error, Store,
    database::{
        connection::AnyConnection,
        error::{OrCannot, message},
        schema::__diesel_schema_migrations::dsl,
    },
};

/// The migrations of a SQLite database.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Applies the missing migrations, each in its own transaction.
pub(crate) fn bring_up_to_date(store: &mut Store, path: &Path) -> Result<(), Error> {
    match check(store, path) {
        Err(Error::NotSetUp { .. } | Error::OlderSchema { .. }) => {}
        result => return result,
    }
    let applied = match &mut store.connection {
        AnyConnection::Sqlite(sqlite) => sqlite.run_pending_migrations(MIGRATIONS).map(|versions| versions.len()),
    };
    let applied = applied.map_err(|error| migrate_error(path, &error.to_string()))?;
    tracing::info!(migrations = applied, "set up the schema of {}", path.display());
    Ok(())
}

/// Compares the database's migrations with the embedded ones. Changes nothing.
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
        MIGRATIONS.migrations().map_err(|error| migrate_error(path, &error.to_string()))?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn applied_versions(store: &mut Store) -> Result<Vec<String>, Error> {
    dsl::__diesel_schema_migrations
        .select(dsl::version)
        .order(dsl::version)
        .load(&mut store.connection)
        .or_cannot(|| "read the applied migrations")
}

fn migrate_error(path: &Path, reason: &str) -> Error {
    if reason.contains("readonly database") {
        return Error::ReadOnly { path: path.to_owned() };
    }
    Error::Migrate { path: path.to_owned(), reason: reason.to_owned() }
}
