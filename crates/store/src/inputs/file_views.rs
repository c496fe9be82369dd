//! Files with the names of their sources, for people and programs.

use diesel::prelude::*;

use super::files::FileState;
use crate::{
    Error, Store,
    database::{
        error::OrCannot,
        schema::{files, sources},
    },
};

/// A file with the name of its source.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct FileView {
    /// Name of the source.
    pub source: String,
    /// Relative to the source's folder.
    pub path: String,
    /// State of the latest content.
    #[diesel(deserialize_as = String)]
    pub state: FileState,
    /// Hash of the accepted content; `None` while none has been accepted.
    pub hash: Option<String>,
    /// Size of the accepted content.
    pub size_bytes: i64,
    /// Rows of the accepted content, rejects included.
    pub rows: i64,
    /// Its results: distinct skus, or groups.
    pub results: i64,
    /// All of its rejects.
    pub rejects: i64,
    /// The reason why the latest content was rejected.
    pub reason: Option<String>,
    /// Rows with a stray quote that was read leniently.
    pub repaired: i64,
    /// Good rows that give nothing.
    pub unused: i64,
    /// Notes for people: what was guessed or left out when it was read.
    pub notes: Option<String>,
}

impl Store {
    /// At most `limit` files of one reader, of one source if it is named, by source name, then path.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn files_view(&mut self, reader: &str, source: Option<&str>, limit: i64) -> Result<Vec<FileView>, Error> {
        let query = files::table
            .inner_join(sources::table)
            .filter(files::reader.eq(reader))
            .select((
                sources::name,
                files::path,
                files::state,
                files::hash,
                files::size_bytes,
                files::row_count,
                files::results,
                files::rejects,
                files::rejected_reason,
                files::repaired,
                files::unused,
                files::notes,
            ))
            .order((sources::name, files::path))
            .limit(limit);
        match source {
            Some(source) => query.filter(sources::name.eq(source)).load(&mut self.connection),
            None => query.load(&mut self.connection),
        }
        .or_cannot(|| "read the files")
    }

    /// The number of files of one reader.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn files_count(&mut self, reader: &str) -> Result<i64, Error> {
        let of_reader = files::table.filter(files::reader.eq(reader));
        of_reader.count().get_result(&mut self.connection).or_cannot(|| "count the files")
    }
}
