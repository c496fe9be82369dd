//! Opening a database: for writing, which sets it up, or for reading, which changes nothing. How, is up to its kind.

use diesel::pg::PgConnection;

use super::{
    connection::AnyConnection,
    error::Error,
    migrations,
    store::Store,
    url::{DatabaseUrl, Location},
};
use crate::{
    postgres::{self, Session},
    sqlite,
};

impl Store {
    /// Opens the database for writing, creates a SQLite file that does not exist, and brings the schema up to date. Transactions of a
    /// PostgreSQL database are only safe from other masters if [`crate::Lock::open_store`] opened it.
    ///
    /// # Errors
    /// Anything that keeps it from being a writable database with a schema that this program knows.
    pub fn open(url: &DatabaseUrl) -> Result<Store, Error> {
        let mut store = match url.location() {
            Location::Sqlite(path) => sqlite::open_for_writing(path, url)?,
            Location::Postgres(_) => Store::session(url, Session::Writer)?,
        };
        migrations::bring_up_to_date(&mut store)?;
        Ok(store)
    }

    /// Opens the database again for writing, in place of a connection whose state is unknown.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_again(&self) -> Result<Store, Error> {
        match self.epoch {
            Some(epoch) => Store::open_as_holder(&self.url, epoch),
            None => Store::open(&self.url),
        }
    }

    /// Opens a server's database for the holder of the lock, who has brought the schema up to date.
    pub(crate) fn open_as_holder(url: &DatabaseUrl, epoch: i64) -> Result<Store, Error> {
        let mut store = Store::session(url, Session::Holder)?;
        store.epoch = Some(epoch);
        Ok(store)
    }

    /// Brings the schema of a server's database up to date over a session, and returns the session.
    pub(crate) fn set_up_over(session: PgConnection, url: &DatabaseUrl) -> Result<PgConnection, Error> {
        let mut store = Store::new(AnyConnection::Postgres(session), url, None);
        migrations::bring_up_to_date(&mut store)?;
        match store.connection {
            AnyConnection::Postgres(session) => Ok(session),
            AnyConnection::Sqlite(_) => Err(Error::BadUrl { url: url.to_string() }),
        }
    }

    /// Checks that the schema still is this program's: a newer program may have changed it since.
    ///
    /// # Errors
    /// Those of the schema among those of [`Store::open_existing`]; [`Error::Query`].
    pub fn check_schema(&mut self) -> Result<(), Error> {
        migrations::check(self)
    }

    /// Opens the database for reading only. Never creates, migrates or changes anything, and works while another process writes.
    /// To read often, share a [`crate::ReaderPool`].
    ///
    /// # Errors
    /// [`Error::Missing`] without a file, [`Error::NotADatabase`]; [`Error::NotSetUp`], [`Error::OlderSchema`] and
    /// [`Error::NewerSchema`] if the schema is not this program's; [`Error::Unreachable`] if a server cannot be used.
    pub fn open_existing(url: &DatabaseUrl) -> Result<Store, Error> {
        let mut store = Store::open_unchecked(url)?;
        migrations::check(&mut store)?;
        Ok(store)
    }

    /// Opens another connection to the same database, for reading. It does not see what this one has not committed.
    ///
    /// # Errors
    /// As [`Store::open_existing`], but for the schema, which this store has checked.
    pub fn reader(&self) -> Result<Store, Error> {
        Store::open_unchecked(&self.url)
    }

    /// As [`Store::open_existing`], without the check of the schema: for a process that has made it before.
    pub(crate) fn open_unchecked(url: &DatabaseUrl) -> Result<Store, Error> {
        match url.location() {
            Location::Sqlite(path) => sqlite::open_for_reading(path, url),
            Location::Postgres(_) => Store::session(url, Session::Reader),
        }
    }

    fn session(url: &DatabaseUrl, session: Session) -> Result<Store, Error> {
        let connection = postgres::connect(url, session)?;
        let mut store = Store::new(AnyConnection::Postgres(connection), url, None);
        store.name_session(session)?;
        Ok(store)
    }

    /// Checks if [`Store::open`] would change anything: the database does not exist, or lacks migrations. Changes nothing itself.
    ///
    /// # Errors
    /// As [`Store::open_existing`], except for errors that mean "yes".
    pub fn needs_setup(url: &DatabaseUrl) -> Result<bool, Error> {
        match Store::open_existing(url) {
            Ok(_) => Ok(false),
            Err(
                Error::Missing { .. } | Error::NotSetUp { .. } | Error::OlderSchema { .. } | Error::BrokenOff { .. },
            ) => Ok(true),
            Err(error) => Err(error),
        }
    }
}
