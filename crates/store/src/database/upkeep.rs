//! Upkeep of a writing connection beside its queries: whether it can still write, what others have committed, and room for many rows. A
//! SQLite file needs care that a server takes itself.

use diesel::{connection::SimpleConnection, prelude::*, sql_query, sql_types::BigInt};

use super::{
    connection::Kind,
    error::{Error, OrCannot},
    store::Store,
};

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Store {
    /// As [`Store::transaction`], prepared for writing about `rows` rows.
    ///
    /// # Errors
    /// As [`Store::transaction`].
    pub fn transaction_of<T, E: From<Error>>(
        &mut self,
        rows: usize,
        f: impl FnOnce(&mut Store) -> Result<T, E>,
    ) -> Result<T, E> {
        match self.connection.kind() {
            Kind::Sqlite => self.file_transaction_of(rows, f),
            Kind::Postgres => self.transaction(f),
        }
    }

    /// As [`Store::transaction_of`], for rows that are written in the order of their table: none of its pages is needed again, so SQLite's
    /// cache may stay as small as it is.
    ///
    /// # Errors
    /// As [`Store::transaction`].
    pub fn transaction_in_order<T, E: From<Error>>(
        &mut self,
        rows: usize,
        f: impl FnOnce(&mut Store) -> Result<T, E>,
    ) -> Result<T, E> {
        match self.connection.kind() {
            Kind::Sqlite => self.file_transaction_in_order(rows, f),
            Kind::Postgres => self.transaction(f),
        }
    }

    /// Truncates SQLite's write-ahead log if it is larger than `max_bytes` and nobody reads from it at the moment. Returns whether it is
    /// not larger now.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn trim_log(&mut self, max_bytes: u64) -> Result<bool, Error> {
        match self.connection.kind() {
            Kind::Sqlite => self.trim_file_log(max_bytes),
            Kind::Postgres => Ok(true),
        }
    }

    /// Writes something as it is, to find out whether the database can be written. Does not wait for another program. A lost session is opened
    /// anew.
    ///
    /// # Errors
    /// [`Error::Query`], [`Error::Displaced`], [`Error::Unreachable`], [`Error::Deposed`].
    pub fn probe_write(&mut self) -> Result<(), Error> {
        match self.connection.kind() {
            Kind::Sqlite => self.probe_file(),
            Kind::Postgres => self.probe_server(),
        }
    }

    /// Checks that the path of a SQLite file still leads to the file that is open. It asks the system once and reads nothing.
    ///
    /// # Errors
    /// [`Error::Displaced`].
    pub fn check_place(&self) -> Result<(), Error> {
        match self.connection.kind() {
            Kind::Sqlite => self.check_file(),
            Kind::Postgres => Ok(()),
        }
    }

    /// Checks that the server of the database answers on this connection. A file has none.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn check_server(&mut self) -> Result<(), Error> {
        match self.connection.kind() {
            Kind::Sqlite => Ok(()),
            Kind::Postgres => {
                self.connection.batch_execute("SELECT 1").or_cannot(|| "reach the server of the database")
            }
        }
    }

    /// Reads a whole SQLite file and returns the first thing that is wrong with its pages, in SQLite's words; `None` if nothing is. Queries that
    /// only touch sound pages succeed on a damaged file. A server looks after its own files.
    ///
    /// # Errors
    /// [`Error::Query`] if the file cannot be read for another reason.
    pub fn damage(&mut self) -> Result<Option<String>, Error> {
        match self.connection.kind() {
            Kind::Sqlite => self.damage_of_file(),
            Kind::Postgres => Ok(None),
        }
    }

    /// A number that differs from that of an earlier call on this connection if another connection has committed since. It reads no
    /// table, and holds no transaction afterwards.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn data_version(&mut self) -> Result<i64, Error> {
        let query = match self.connection.kind() {
            Kind::Sqlite => "SELECT data_version AS number FROM pragma_data_version",
            // It changes with every transaction of the server that ends.
            Kind::Postgres => "SELECT hashtextextended(pg_current_snapshot()::text, 0) AS number",
        };
        let row: Number =
            sql_query(query).get_result(&mut self.connection).or_cannot(|| "ask whether the database has changed")?;
        Ok(row.number)
    }
}
