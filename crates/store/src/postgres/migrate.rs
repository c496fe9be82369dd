//! The schema of a PostgreSQL database: applying `migrations/postgres`, all in one transaction.

use diesel::{
    connection::{Connection as _, SimpleConnection},
    pg::PgConnection,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

/// The migrations of a PostgreSQL database.
pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Applies the missing migrations, and returns how many. PostgreSQL can undo changes of its schema, so a failure leaves nothing behind.
pub(crate) fn apply_missing(connection: &mut PgConnection) -> diesel::migration::Result<usize> {
    connection.transaction(|connection| {
        // Two programs may start at once.
        connection.batch_execute("SELECT pg_advisory_xact_lock(8390876)")?;
        Ok(connection.run_pending_migrations(MIGRATIONS)?.len())
    })
}
