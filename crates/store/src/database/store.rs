//! The store: one connection with its transactions. `open` opens one; queries are in the rooms of their tables.

use diesel::{connection::TransactionManager, result::QueryResult};

use super::{
    connection::AnyConnection,
    error::{Error, OrCannot},
    url::DatabaseUrl,
};
use crate::sqlite::FileIdentity;

/// An open database: one connection. Readers open their own beside the single writer.
///
/// Call methods that write many rows inside a [`Store::transaction`]; outside of one, each row is its own transaction.
pub struct Store {
    /// Runs every query.
    pub(crate) connection: AnyConnection,
    /// The database's address.
    pub(crate) url: DatabaseUrl,
    /// The file that was opened.
    pub(crate) file: Option<FileIdentity>,
    /// True after a first load until the write-ahead log is in use again.
    pub(crate) has_left_log: bool,
    /// The number of this master among those that have written a PostgreSQL database; each transaction checks that no later one is there.
    pub(crate) epoch: Option<i64>,
}

impl Store {
    pub(crate) fn new(connection: AnyConnection, url: &DatabaseUrl, file: Option<FileIdentity>) -> Self {
        Self { connection, url: url.clone(), file, has_left_log: false, epoch: None }
    }

    /// Runs `f` in one transaction: everything it writes is committed if it returns `Ok`, nothing otherwise. Waits for
    /// other writers before it begins, and never fails halfway because of one.
    ///
    /// # Errors
    /// The error of `f`; [`Error::Query`] if the transaction cannot begin or commit. Transactions do not nest.
    pub fn transaction<T, E: From<Error>>(&mut self, f: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        self.within(AnyConnection::begin_writing, |store| {
            store.check_epoch()?;
            f(store)
        })
    }

    /// Runs `f`, which must only read, on the tables as they are at its first query, whatever others commit meanwhile.
    /// Neither waits for a writer nor blocks one.
    ///
    /// # Errors
    /// As [`Store::transaction`].
    pub fn snapshot<T, E: From<Error>>(&mut self, f: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        self.within(AnyConnection::begin_reading, f)
    }

    /// Runs `f` within a transaction: if it fails, what it has written is undone, and the transaction can go on.
    ///
    /// # Errors
    /// The error of `f`; [`Error::Query`] if the database fails.
    pub fn savepoint<T, E: From<Error>>(&mut self, f: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        self.within(AnyConnection::begin_transaction, f)
    }

    fn within<T, E: From<Error>>(
        &mut self,
        begin: impl FnOnce(&mut AnyConnection) -> QueryResult<()>,
        f: impl FnOnce(&mut Store) -> Result<T, E>,
    ) -> Result<T, E> {
        begin(&mut self.connection).or_cannot(|| "begin a transaction")?;
        match f(self) {
            Ok(value) => {
                AnyConnection::commit_transaction(&mut self.connection).or_cannot(|| "commit a transaction")?;
                Ok(value)
            }
            Err(error) => {
                // Return the first error. A rollback also fails if the database has already rolled back by itself, as SQLite
                // does on a full disk.
                if let Err(failed) = AnyConnection::rollback_transaction(&mut self.connection) {
                    tracing::debug!(error = %failed, "cannot roll back a transaction: {failed}");
                }
                Err(error)
            }
        }
    }
}
