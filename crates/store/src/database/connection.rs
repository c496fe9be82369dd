//! One connection to a database of any kind. Of the files outside `sqlite` and `postgres`, this one and the few that it serves name a kind.

use diesel::{connection::AnsiTransactionManager, prelude::*, query_dsl::methods::ExecuteDsl};

use crate::postgres;

/// A connection to any kind of database: a variant per kind. Queries are written once, against this type; anything that only one kind
/// understands is done on its variant.
#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    /// A SQLite file.
    Sqlite(SqliteConnection),
    /// A session of a PostgreSQL server.
    Postgres(PgConnection),
}

/// Runs a block on the connection of either kind, so that its rows are read one by one: libpq would hold all of them in memory, if it were
/// asked for them in the way that [`AnyConnection`] asks. `$rows` names the loading mode in the block.
macro_rules! on_either {
    ($any:expr, $connection:ident, $rows:ident => $block:block) => {
        match $any {
            $crate::database::connection::AnyConnection::Sqlite($connection) => {
                type $rows = diesel::connection::DefaultLoadingMode;
                $block
            }
            $crate::database::connection::AnyConnection::Postgres($connection) => {
                type $rows = diesel::pg::PgRowByRowLoadingMode;
                $block
            }
        }
    };
}
pub(crate) use on_either;

/// A kind of database, for the SQL that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl AnyConnection {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            AnyConnection::Sqlite(_) => Kind::Sqlite,
            AnyConnection::Postgres(_) => Kind::Postgres,
        }
    }

    /// Executes a statement that runs once per row. On the variant, diesel recognises a prepared statement by its type. On the
    /// enum it writes and hashes the statement's text each time, which took as long as SQLite's own work.
    pub(crate) fn run<Q>(&mut self, statement: Q) -> QueryResult<usize>
    where
        Q: ExecuteDsl<SqliteConnection> + ExecuteDsl<PgConnection>,
    {
        match self {
            AnyConnection::Sqlite(sqlite) => ExecuteDsl::execute(statement, sqlite),
            AnyConnection::Postgres(postgres) => ExecuteDsl::execute(statement, postgres),
        }
    }

    /// Begins a transaction that may write. SQLite reserves the right to write at once: a transaction that takes it later, with
    /// its first write, fails if another has written since it began.
    pub(crate) fn begin_writing(&mut self) -> QueryResult<()> {
        match self {
            AnyConnection::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE"),
            AnyConnection::Postgres(postgres) => {
                AnsiTransactionManager::begin_transaction_sql(postgres, postgres::WRITE)
            }
        }
    }

    /// Begins a transaction that only reads.
    pub(crate) fn begin_reading(&mut self) -> QueryResult<()> {
        match self {
            AnyConnection::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN DEFERRED"),
            AnyConnection::Postgres(postgres) => {
                AnsiTransactionManager::begin_transaction_sql(postgres, postgres::READ)
            }
        }
    }
}
