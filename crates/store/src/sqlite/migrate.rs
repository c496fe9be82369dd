//! Migrations: which ones a database has, and applying the others. Their SQL is in `migrations/`, embedded at build time.

use std::path::Path;

use diesel::{
    connection::SimpleConnection,
    migration::{Migration, MigrationSource, Result as MigrationResult},
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
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

/// Applies the missing migrations, all in one transaction.
pub(crate) fn bring_up_to_date(store: &mut Store, path: &Path) -> Result<(), Error> {
    match check(store, path) {
        Err(Error::NotSetUp { .. } | Error::OlderSchema { .. }) => {}
        result => return result,
    }
    let applied = match &mut store.connection {
        AnyConnection::Sqlite(sqlite) => apply_missing(sqlite),
    };
    let applied = applied.map_err(|error| migrate_error(path, &error.to_string()))?;
    tracing::info!(migrations = applied, "set up the schema of {}", path.display());
    Ok(())
}

/// A migration may replace a table that others refer to. SQLite would delete or refuse their rows, so the references are checked
/// at the end instead. They can only be turned off outside a transaction. See <https://www.sqlite.org/lang_altertable.html#otheralter>.
fn apply_missing(sqlite: &mut SqliteConnection) -> MigrationResult<usize> {
    sqlite.batch_execute("PRAGMA foreign_keys = OFF")?;
    let applied = sqlite.immediate_transaction(|sqlite| {
        let applied = sqlite.run_pending_migrations(MIGRATIONS)?.len();
        check_references(sqlite)?;
        Ok(applied)
    });
    sqlite.batch_execute("PRAGMA foreign_keys = ON")?;
    applied
}

/// Fails if a row refers to a row that does not exist.
fn check_references(sqlite: &mut SqliteConnection) -> MigrationResult<()> {
    #[derive(QueryableByName)]
    struct Dangling {
        #[diesel(sql_type = Text)]
        child: String,
        #[diesel(sql_type = Text)]
        parent: String,
        #[diesel(sql_type = BigInt)]
        rows: i64,
    }
    let query = "SELECT \"table\" AS child, parent, count(*) AS rows FROM pragma_foreign_key_check GROUP BY 1, 2";
    match sql_query(query).load::<Dangling>(sqlite)?.first() {
        None => Ok(()),
        Some(Dangling { child, parent, rows }) => {
            Err(format!("`{child}` refers to rows of `{parent}` that do not exist ({rows} times)").into())
        }
    }
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
