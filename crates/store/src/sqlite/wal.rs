//! The write-ahead log: the file beside the database that holds committed pages until a checkpoint copies them into it.

use std::{fs, path::PathBuf};

use diesel::{
    QueryableByName, RunQueryDsl, connection::SimpleConnection, result::QueryResult, sql_query, sql_types::Integer,
};

use super::open::BUSY_TIMEOUT;
use crate::{
    Error, Store,
    database::{connection::AnyConnection, error::OrCannot},
};

/// The row that a checkpoint returns. It has more columns.
#[derive(QueryableByName)]
struct Checkpoint {
    /// 1 if a reader, or another checkpoint, was in its way.
    #[diesel(sql_type = Integer)]
    busy: i32,
}

impl Store {
    /// Truncates the write-ahead log if it is larger than `max_bytes` and nobody reads from it at the moment. SQLite reuses the
    /// file but never shrinks it, so a large transaction, above all one that failed on a full disk, leaves a file of its own size. Returns
    /// whether it is not larger now.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub(crate) fn trim_file_log(&mut self, max_bytes: u64) -> Result<bool, Error> {
        if self.has_left_log {
            self.return_to_log();
        }
        if fs::metadata(self.log_path()).is_ok_and(|log| log.len() > max_bytes) {
            let truncate = |connection: &mut AnyConnection| {
                sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result::<Checkpoint>(connection)
            };
            let done = self.at_once(truncate).or_cannot(|| "trim the write-ahead log")?;
            return Ok(done.busy == 0);
        }
        Ok(true)
    }

    /// Writes a page as it is, to find out whether the database can be written. Does not wait for another program.
    ///
    /// # Errors
    /// [`Error::Query`], [`Error::Displaced`].
    pub(crate) fn probe_file(&mut self) -> Result<(), Error> {
        self.check_file()?;
        // Nothing else sets it, and SQLite writes the page even if its value stays.
        self.without_waiting("PRAGMA application_id = 0").or_cannot(|| "write to the database")
    }

    /// Runs statements that fail at once if another connection is in their way: it may take long, and the writer has others to serve.
    pub(super) fn without_waiting(&mut self, statements: &str) -> QueryResult<()> {
        self.at_once(|connection| connection.batch_execute(statements))
    }

    fn at_once<T>(&mut self, run: impl FnOnce(&mut AnyConnection) -> QueryResult<T>) -> QueryResult<T> {
        self.connection.batch_execute("PRAGMA busy_timeout = 0")?;
        let done = run(&mut self.connection);
        self.connection.batch_execute(BUSY_TIMEOUT).and(done)
    }

    /// Copies the pages of the write-ahead log into the database file, as far as no reader needs the older ones.
    pub(crate) fn checkpoint(&mut self) -> Result<(), Error> {
        self.connection.batch_execute("PRAGMA wal_checkpoint(PASSIVE)").or_cannot(|| "empty the write-ahead log")
    }

    /// The path of the write-ahead log.
    pub(crate) fn log_path(&self) -> PathBuf {
        let mut log = self.url.path().as_os_str().to_owned();
        log.push("-wal");
        log.into()
    }
}
