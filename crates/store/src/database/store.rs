//! The store: one connection with its transactions. `open` opens one; queries are in the rooms of their tables.

use diesel::{
    connection::TransactionManager,
    result::{Error as DieselError, QueryResult},
};

use super::{
    connection::AnyConnection,
    error::{Error, OrCannot},
    url::DatabaseUrl,
};
use crate::{
    postgres::{self, Backend, Session, Transaction},
    sqlite::FileIdentity,
};

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
    /// The purpose of the session of a server, and the session itself if it writes.
    pub(crate) session: Option<Session>,
    pub(crate) backend: Option<Backend>,
}

impl Store {
    pub(crate) fn new(connection: AnyConnection, url: &DatabaseUrl, file: Option<FileIdentity>) -> Self {
        Self { connection, url: url.clone(), file, has_left_log: false, epoch: None, session: None, backend: None }
    }

    /// Runs `f` in one transaction: everything it writes is committed if it returns `Ok`, nothing otherwise. Waits for
    /// other writers before it begins, and never fails halfway because of one.
    ///
    /// # Errors
    /// The error of `f`; [`Error::Query`] if the transaction cannot begin or commit. Transactions do not nest.
    pub fn transaction<T, E: From<Error>>(&mut self, f: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        self.begin(AnyConnection::begin_writing)?;
        let (transaction, done) = match self.check_epoch() {
            Ok(transaction) => (transaction, f(self)),
            Err(error) => (None, Err(error.into())),
        };
        let value = self.or_roll_back(done)?;
        let committed = match AnyConnection::commit_transaction(&mut self.connection) {
            Err(error) if self.session.is_some() && postgres::is_lost(&error) => {
                self.find_out(transaction.as_ref(), error)
            }
            committed => committed.or_cannot(|| "commit a transaction"),
        };
        committed?;
        Ok(value)
    }

    /// Runs `f`, which must only read, on the tables as they are at its first query, whatever others commit meanwhile.
    /// Neither waits for a writer nor blocks one.
    ///
    /// # Errors
    /// As [`Store::transaction`].
    pub fn snapshot<T, E: From<Error>>(&mut self, f: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        self.begin(AnyConnection::begin_reading)?;
        self.end(f)
    }

    /// Runs `f` within a transaction: if it fails, what it has written is undone, and the transaction can go on.
    ///
    /// # Errors
    /// The error of `f`; [`Error::Query`] if the database fails.
    pub fn savepoint<T, E: From<Error>>(&mut self, f: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        AnyConnection::begin_transaction(&mut self.connection).or_cannot(|| "begin a transaction")?;
        self.end(f)
    }

    /// Begins a transaction. A session that was lost since the last one is replaced: nothing is lost with it.
    fn begin(&mut self, begin: impl Fn(&mut AnyConnection) -> QueryResult<()>) -> Result<(), Error> {
        let mut begun = begin(&mut self.connection);
        if begun.as_ref().is_err_and(postgres::is_lost) {
            match self.replace_session() {
                Ok(()) => begun = begin(&mut self.connection),
                Err(error) => tracing::debug!(%error, "cannot replace a lost session: {error}"),
            }
        }
        begun.or_cannot(|| "begin a transaction")
    }

    /// Runs `f` and ends what was begun.
    fn end<T, E: From<Error>>(&mut self, f: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        let done = f(self);
        let value = self.or_roll_back(done)?;
        AnyConnection::commit_transaction(&mut self.connection).or_cannot(|| "commit a transaction")?;
        Ok(value)
    }

    fn or_roll_back<T, E>(&mut self, done: Result<T, E>) -> Result<T, E> {
        // Return the first error. A rollback also fails if the database has already rolled back by itself, as SQLite does on a full
        // disk.
        if done.is_err()
            && let Err(failed) = AnyConnection::rollback_transaction(&mut self.connection)
        {
            tracing::debug!(error = %failed, "cannot roll back a transaction: {failed}");
        }
        done
    }

    /// Fails if another process has the right to write by now. The answer holds until the transaction ends: whoever wants to become active waits
    /// for it. Returns the transaction if it can be asked for later.
    fn check_epoch(&mut self) -> Result<Option<Transaction>, Error> {
        let (Some(epoch), AnyConnection::Postgres(session)) = (self.epoch, &mut self.connection) else {
            return Ok(None);
        };
        let transaction = Transaction::running(session).or_cannot(|| "ask which master is active")?;
        if transaction.epoch == epoch {
            Ok(Some(transaction))
        } else {
            Err(Error::Deposed { database: self.url.to_string() })
        }
    }

    /// Finds out how a transaction has ended whose session was lost with this error while it was committed.
    fn find_out(&mut self, transaction: Option<&Transaction>, error: DieselError) -> Result<(), Error> {
        match transaction.and_then(|transaction| self.was_committed(transaction)) {
            Some(true) => Ok(()),
            Some(false) => Err(error).or_cannot(|| "commit a transaction"),
            None => Err(Error::UnknownOutcome { database: self.url.to_string() }),
        }
    }
}
