//! Files with rejects: how many each has, and the reasons of the first of them.

use diesel::prelude::*;

use super::{
    files::FileState,
    path_starts::path_is,
    reject_views::{RejectFilter, of_filter},
};
use crate::{
    Error, Store,
    database::{
        error::OrCannot,
        schema::{files, rejects, sources},
    },
};

/// A file with rejects, as one reader knows it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = files)]
pub struct RejectedFileView {
    /// Its id.
    pub id: i64,
    /// The reader that could not use the rows.
    pub reader: String,
    /// Name of the source.
    #[diesel(select_expression = sources::name)]
    pub source: String,
    /// Relative to the source's folder.
    pub path: String,
    /// State of the latest content.
    #[diesel(deserialize_as = String)]
    pub state: FileState,
    /// Rows of the accepted content, rejects included.
    #[diesel(column_name = row_count)]
    pub rows: i64,
    /// All rejects of the accepted content, also those that are not kept.
    pub rejects: i64,
    /// The reason why the latest content was rejected as a whole.
    #[diesel(column_name = rejected_reason)]
    pub reason: Option<String>,
}

impl Store {
    /// At most `limit` files with rejects that pass a filter, behind the first `offset`: by source name, of each source those with the
    /// most rejects first. The reason of the filter says nothing.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn files_with_rejects(
        &mut self,
        filter: &RejectFilter,
        offset: i64,
        limit: i64,
    ) -> Result<Vec<RejectedFileView>, Error> {
        let query = files::table
            .inner_join(sources::table)
            .filter(files::rejects.gt(0).or(files::rejected_hash.is_not_null()))
            .select(RejectedFileView::as_select())
            .order((sources::name, files::rejects.desc(), files::path, files::reader))
            .limit(limit)
            .offset(offset)
            .into_boxed();
        of_filter!(query, filter).load(&mut self.connection).or_cannot(|| "read the files with rejects")
    }

    /// The reasons of at most `limit` kept rejects of a file.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn reject_reasons(&mut self, file: i64, limit: i64) -> Result<Vec<String>, Error> {
        let of_file = rejects::table.filter(rejects::file_id.eq(file)).select(rejects::reason);
        of_file.order(rejects::id).limit(limit).load(&mut self.connection).or_cannot(|| "read the reasons of rejects")
    }
}
