//! Many rows per statement. What a row has is said once, for any kind of database; `sqlite::bulk` and `postgres::bulk` make statements
//! of it.

use diesel::QueryResult;

use super::{connection::AnyConnection, error::Error, store::Store};
use crate::{
    postgres::{self, CopyInto},
    sqlite,
};

/// A change that is made with many rows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    /// They are inserted.
    Insert {
        table: &'static str,
        /// Columns of which each row has its own value, and behind them those of which all rows of a call have the same.
        columns: &'static [&'static str],
        /// The clause for a row that exists; empty: it is an error.
        on_conflict: &'static str,
        /// True if the rows lie on many pages: SQLite then copies no page to be able to undo the statement alone. Whoever gets an error rolls
        /// the transaction back.
        scattered: bool,
    },
    /// They are deleted by their key.
    Delete { table: &'static str, key: &'static [&'static str] },
}

/// A row to insert, or the key of a row to delete, of which many are written at once.
pub(crate) trait Bulk {
    /// Distinguishes these statements from those of other types: `Self` without its lifetime.
    type Kind: 'static;
    /// The change that is made with it.
    const CHANGE: Change;
    /// The way in which PostgreSQL inserts many of them faster, see `postgres::copy`. It takes no `on_conflict`.
    const COPY: Option<CopyInto> = None;

    /// Pushes the row's own values, in the order of the columns.
    fn push<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()>;

    /// Pushes the values that all rows of a call share, behind. They are taken from one of them.
    fn push_shared<'b>(&'b self, _out: &mut impl Values<'b>) -> QueryResult<()> {
        Ok(())
    }
}

/// Takes the values of a row.
pub(crate) trait Values<'b> {
    fn text(&mut self, text: &'b str) -> QueryResult<()>;
    fn optional_text(&mut self, text: Option<&'b str>) -> QueryResult<()>;
    fn number(&mut self, number: &'b i64) -> QueryResult<()>;
    fn optional_number(&mut self, number: &'b Option<i64>) -> QueryResult<()>;
    fn flag(&mut self, flag: &'b bool) -> QueryResult<()>;
    fn bytes(&mut self, bytes: &'b [u8]) -> QueryResult<()>;
}

impl Store {
    /// The number of rows that whoever writes very many should write at a time: fewer cost time, and more only memory.
    #[must_use]
    pub fn rows_at_a_time(&self) -> usize {
        match &self.connection {
            AnyConnection::Sqlite(_) => sqlite::ROWS_AT_A_TIME,
            AnyConnection::Postgres(_) => postgres::ROWS_AT_A_TIME,
        }
    }

    /// Writes all rows, and returns how many the database says it wrote. `action` describes the writing of one row, for errors.
    pub(crate) fn bulk<B: Bulk>(&mut self, rows: &[B], action: impl Fn(&B) -> String) -> Result<usize, Error> {
        let describe = |rows: &[B]| match rows {
            [] => "write no rows".to_owned(),
            [row] => action(row),
            [first, ..] => format!("{}, or one of the {} rows after it", action(first), rows.len() - 1),
        };
        match &mut self.connection {
            AnyConnection::Sqlite(sqlite) => sqlite::write_bulk(sqlite, rows, describe),
            AnyConnection::Postgres(postgres) => postgres::write_bulk(postgres, rows, describe),
        }
    }
}
