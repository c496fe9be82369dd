//! The table `files` in parts: some of its rows at a time, or some of its columns. A source may have a million files.

use diesel::prelude::*;

use super::path_starts::{path_start, start_of};
use crate::{
    Error, FileRow, Store,
    database::{connection::Kind, error::OrCannot, schema::files::dsl},
};

impl Store {
    /// The first files that one reader has of one source behind a path, by path: at most `most`. There may be a million.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn files_after(
        &mut self,
        reader: &str,
        source_id: i64,
        after: Option<&str>,
        most: i64,
    ) -> Result<Vec<FileRow>, Error> {
        let after = after.unwrap_or_default();
        let behind = dsl::files
            .filter(dsl::reader.eq(reader).and(dsl::source_id.eq(source_id)).and(dsl::path.gt(after)))
            .select(FileRow::as_select())
            .limit(most)
            .into_boxed();
        // Each has an index in one of these orders, which are the same.
        let ordered = match self.connection.kind() {
            Kind::Sqlite => behind.order(dsl::path),
            Kind::Postgres => behind.filter(path_start().ge(start_of(after))).order((path_start(), dsl::path)),
        };
        ordered.load(&mut self.connection).or_cannot(|| format!("read files of source {source_id} for {reader:?}"))
    }

    /// The ids of the files that one reader has of one source.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn file_ids(&mut self, reader: &str, source_id: i64) -> Result<Vec<i64>, Error> {
        let files = dsl::files.filter(dsl::reader.eq(reader).and(dsl::source_id.eq(source_id)));
        let ids = files.select(dsl::id).load(&mut self.connection);
        ids.or_cannot(|| format!("read the ids of files of source {source_id} for {reader:?}"))
    }

    /// Id, rank key and path of the files that one reader has of one source, as far as they have results.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn file_ranks(&mut self, reader: &str, source_id: i64) -> Result<Vec<(i64, String, String)>, Error> {
        let files = dsl::files.filter(dsl::reader.eq(reader).and(dsl::source_id.eq(source_id)).and(dsl::results.gt(0)));
        let ranks = files.select((dsl::id, dsl::rank_key, dsl::path)).load(&mut self.connection);
        ranks.or_cannot(|| format!("read the ranks of files of source {source_id} for {reader:?}"))
    }
}
