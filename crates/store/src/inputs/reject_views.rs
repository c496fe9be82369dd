//! Rejects with names in place of ids, for people and programs.

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{
        error::OrCannot,
        schema::{files, rejects, sources},
    },
};

/// A reject with the names of its source and file.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct RejectView {
    /// Orders rejects by time.
    pub id: i64,
    /// The reader that could not use the row.
    pub reader: String,
    /// Name of the source.
    pub source: String,
    /// Path of the file.
    pub file: String,
    /// The line where the row begins, counted from 1.
    pub line: i64,
    /// The reason why it could not be used.
    pub reason: String,
    /// The raw text, cut at 1 KiB.
    pub raw: String,
}

/// Restricts rejects to those of a reader, of a source, of files with a path, or all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejectFilter {
    /// Only rejects of this reader.
    pub reader: Option<String>,
    /// Only rejects of the source with this name.
    pub source: Option<String>,
    /// Only rejects of files with this path.
    pub file: Option<String>,
}

impl Store {
    /// At most `limit` rejects, by source name, path and line; on the same line, those of the reader `first` first.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn rejects_view(&mut self, first: &str, limit: i64) -> Result<Vec<RejectView>, Error> {
        rejects::table
            .inner_join(files::table.inner_join(sources::table))
            .select(COLUMNS)
            .order((sources::name, files::path, rejects::line, files::reader.ne(first), rejects::id))
            .limit(limit)
            .load(&mut self.connection)
            .or_cannot(|| "read the rejects")
    }

    /// At most `limit` rejects that pass a filter, the newest first; with `before` only those older than the reject with this id.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn newest_rejects(
        &mut self,
        filter: &RejectFilter,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<RejectView>, Error> {
        let mut query = rejects::table
            .inner_join(files::table.inner_join(sources::table))
            .select(COLUMNS)
            .filter(rejects::id.lt(before.unwrap_or(i64::MAX)))
            .order(rejects::id.desc())
            .limit(limit)
            .into_boxed();
        if let Some(reader) = &filter.reader {
            query = query.filter(files::reader.eq(reader));
        }
        if let Some(source) = &filter.source {
            query = query.filter(sources::name.eq(source));
        }
        if let Some(file) = &filter.file {
            query = query.filter(files::path.eq(file));
        }
        query.load(&mut self.connection).or_cannot(|| "read the newest rejects")
    }

    /// The number of rejects that are kept.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn rejects_count(&mut self) -> Result<i64, Error> {
        rejects::table.count().get_result(&mut self.connection).or_cannot(|| "count the rejects")
    }
}

/// The columns of a [`RejectView`].
const COLUMNS: (rejects::id, files::reader, sources::name, files::path, rejects::line, rejects::reason, rejects::raw) =
    (rejects::id, files::reader, sources::name, files::path, rejects::line, rejects::reason, rejects::raw);
