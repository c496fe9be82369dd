//! The schema of a SQLite database: applying `migrations/sqlite`, all in one transaction.

use diesel::{
    connection::SimpleConnection,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

/// The migrations of a SQLite database.
pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// A migration may replace a table that others refer to. SQLite would delete or refuse their rows, so the references are checked
/// at the end instead. They can only be turned off outside a transaction. See <https://www.sqlite.org/lang_altertable.html#otheralter>.
pub(crate) fn apply_missing(sqlite: &mut SqliteConnection) -> diesel::migration::Result<usize> {
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
fn check_references(sqlite: &mut SqliteConnection) -> diesel::migration::Result<()> {
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
