//! The schema of a database, compared with the migrations that this program knows.

use std::path::PathBuf;

use diesel::{
    backend::Backend,
    migration::{Migration, MigrationSource},
    prelude::*,
};

use super::{
    connection::AnyConnection,
    error::{Error, OrCannot, message},
    schema::__diesel_schema_migrations::dsl,
    store::Store,
};
use crate::{postgres, sqlite};

/// Applies the missing migrations, all in one transaction.
pub(crate) fn bring_up_to_date(store: &mut Store) -> Result<(), Error> {
    match check(store) {
        Err(Error::NotSetUp { .. } | Error::OlderSchema { .. }) => {}
        result => return result,
    }
    let applied = match &mut store.connection {
        AnyConnection::Sqlite(sqlite) => sqlite::apply_missing(sqlite),
        AnyConnection::Postgres(postgres) => postgres::apply_missing(postgres),
    };
    let applied = applied.map_err(|error| migrate_error(store, &error.to_string()))?;
    tracing::info!(migrations = applied, "set up the schema of {}", store.url);
    Ok(())
}

/// Compares the database's migrations with the embedded ones. Changes nothing.
pub(crate) fn check(store: &mut Store) -> Result<(), Error> {
    let known = known_versions(store)?;
    let applied = match applied_versions(store) {
        Ok(versions) => versions,
        Err(Error::Query { source, .. }) if is_missing_table(&source) => Vec::new(),
        Err(Error::Query { source, .. }) => return Err(open_error(store, message(&source))),
        Err(error) => return Err(error),
    };
    let path = name_of(store);
    if applied.is_empty() {
        return Err(Error::NotSetUp { path });
    }
    if let Some(version) = applied.iter().find(|version| !known.contains(version)) {
        return Err(Error::NewerSchema { path, version: version.clone() });
    }
    if known.iter().any(|version| !applied.contains(version)) {
        return Err(Error::OlderSchema { path });
    }
    Ok(())
}

fn is_missing_table(error: &diesel::result::Error) -> bool {
    let words = message(error);
    words.contains("no such table") || (words.contains("relation") && words.contains("does not exist"))
}

fn known_versions(store: &Store) -> Result<Vec<String>, Error> {
    match &store.connection {
        AnyConnection::Sqlite(_) => versions::<diesel::sqlite::Sqlite>(store, &sqlite::MIGRATIONS),
        AnyConnection::Postgres(_) => versions::<diesel::pg::Pg>(store, &postgres::MIGRATIONS),
    }
}

fn versions<B: Backend>(store: &Store, source: &impl MigrationSource<B>) -> Result<Vec<String>, Error> {
    let migrations: Vec<Box<dyn Migration<B>>> =
        source.migrations().map_err(|error| migrate_error(store, &error.to_string()))?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn applied_versions(store: &mut Store) -> Result<Vec<String>, Error> {
    dsl::__diesel_schema_migrations
        .select(dsl::version)
        .order(dsl::version)
        .load(&mut store.connection)
        .or_cannot(|| "read the applied migrations")
}

fn name_of(store: &Store) -> PathBuf {
    store.url.to_string().into()
}

fn open_error(store: &Store, reason: String) -> Error {
    match store.connection {
        AnyConnection::Sqlite(_) => sqlite::open_error(store.url.path(), reason),
        AnyConnection::Postgres(_) => Error::Unreachable { database: store.url.to_string(), reason },
    }
}

fn migrate_error(store: &Store, reason: &str) -> Error {
    if reason.contains("readonly database") {
        return Error::ReadOnly { path: name_of(store) };
    }
    Error::Migrate { path: name_of(store), reason: reason.to_owned() }
}
