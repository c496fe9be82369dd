//! One connection to a database of any kind. Of the files outside `sqlite`, only this one names a kind.

use diesel::{connection::AnsiTransactionManager, prelude::*, query_dsl::methods::ExecuteDsl};

/// A connection to any kind of database: a variant per kind, so far only SQLite. Queries are written once, against this type;
/// anything that only one kind understands is done on its variant.
#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    /// A SQLite file.
    Sqlite(SqliteConnection),
}

impl AnyConnection {
    /// Executes a statement that runs once per row. On the variant, diesel recognises a prepared statement by its type. On the
    /// enum it writes and hashes the statement's text each time, which took as long as SQLite's own work.
    pub(crate) fn run<Q: ExecuteDsl<SqliteConnection>>(&mut self, statement: Q) -> QueryResult<usize> {
        match self {
            AnyConnection::Sqlite(sqlite) => ExecuteDsl::execute(statement, sqlite),
        }
    }

    /// Begins a transaction that may write, and reserves the right to write at once: a transaction that takes it later, with
    /// its first write, fails if another has written since it began.
    pub(crate) fn begin_writing(&mut self) -> QueryResult<()> {
        self.begin("BEGIN IMMEDIATE")
    }

    /// Begins a transaction that only reads.
    pub(crate) fn begin_reading(&mut self) -> QueryResult<()> {
        self.begin("BEGIN DEFERRED")
    }

    fn begin(&mut self, statement: &str) -> QueryResult<()> {
        match self {
            AnyConnection::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction_sql(sqlite, statement),
        }
    }
}
