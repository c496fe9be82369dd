//! Connections and transactions. The only file that tells one kind of database from another.

use std::path::Path;

use diesel::{
    connection::{AnsiTransactionManager, Connection as _, SimpleConnection, TransactionManager},
    prelude::*,
    query_dsl::methods::ExecuteDsl,
};

use crate::{
    DatabaseUrl, Error,
    error::{Doing, message},
};

/// A connection to any kind of database. Queries are written once, against this type; what only one kind of database
/// understands is done on the variant.
#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    /// A SQLite file.
    Sqlite(SqliteConnection),
}

impl AnyConnection {
    /// Runs a statement that is one of many of its kind. On the variant diesel knows a statement by its type; on the enum it
    /// writes out and hashes its text for every row, which took as long as SQLite's own work.
    pub(crate) fn run<Q: ExecuteDsl<SqliteConnection>>(&mut self, statement: Q) -> QueryResult<usize> {
        match self {
            AnyConnection::Sqlite(sqlite) => ExecuteDsl::execute(statement, sqlite),
        }
    }
}

/// An open database. One value is one connection: readers take their own beside the one writer.
///
/// Methods that write many rows belong into a [`Store::transaction`]; outside of one every row is a transaction.
pub struct Store {
    /// All queries go through it.
    pub(crate) connection: AnyConnection,
    /// Where the database is.
    pub(crate) url: DatabaseUrl,
}

/// How long a statement waits for another program's transaction before it fails.
pub(crate) const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 10000";

impl Store {
    /// Runs `f` in one transaction: all of it is stored if `f` gives `Ok`, nothing otherwise. The right to write is
    /// taken at once (`BEGIN IMMEDIATE`), so that a transaction never fails in its middle because another began.
    ///
    /// # Errors
    /// Those of `f`, and [`Error::Query`] if the transaction cannot be begun or committed. Transactions do not nest.
    pub fn transaction<T, E: From<Error>>(&mut self, f: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        self.within("BEGIN IMMEDIATE", f)
    }

    /// Runs `f`, which only reads, on the tables as they stand at its first query, whatever is committed meanwhile.
    /// Waits for nobody and keeps nobody waiting.
    ///
    /// # Errors
    /// As [`Store::transaction`].
    pub fn snapshot<T, E: From<Error>>(&mut self, f: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        self.within("BEGIN DEFERRED", f)
    }

    fn within<T, E: From<Error>>(&mut self, begin: &str, f: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        match &mut self.connection {
            AnyConnection::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction_sql(sqlite, begin),
        }
        .doing(|| "begin a transaction")?;
        match f(self) {
            Ok(value) => {
                AnyConnection::commit_transaction(&mut self.connection).doing(|| "commit a transaction")?;
                Ok(value)
            }
            Err(error) => {
                // The first error is the one that counts. A transaction that SQLite ended itself, as on a full disk, cannot be
                // rolled back, and need not be.
                if let Err(failed) = AnyConnection::rollback_transaction(&mut self.connection) {
                    tracing::debug!(error = %failed, "cannot roll a transaction back: {failed}");
                }
                Err(error)
            }
        }
    }

    pub(crate) fn connect(url: &DatabaseUrl, mode: &str, pragmas: &[&str]) -> Result<Store, Error> {
        let path = url.path();
        let sqlite =
            SqliteConnection::establish(&url.sqlite_uri(mode)).map_err(|error| open_error(path, error.to_string()))?;
        let mut connection = AnyConnection::Sqlite(sqlite);
        for pragma in std::iter::once(&BUSY_TIMEOUT).chain(pragmas) {
            connection.batch_execute(pragma).map_err(|error| open_error(path, message(&error)))?;
        }
        Ok(Store { connection, url: url.clone() })
    }
}

/// Sorts SQLite's words by what a person can do about them; diesel passes the words only.
pub(crate) fn open_error(path: &Path, reason: String) -> Error {
    let path = path.to_owned();
    if reason.contains("file is not a database") {
        Error::NotADatabase { path }
    } else if reason.contains("readonly database") {
        Error::ReadOnly { path }
    } else {
        Error::Open { path, reason }
    }
}
