//! What people read of sources, files and edits: the tables with names in place of ids. `products` and `aggr` are in `catalog`,
//! rejects in `reject_views`.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::{
    EditRow, Error, FileState, SourceRow, SourceState, Store,
    connection::AnyConnection,
    error::Doing,
    schema::{edits, files, sources},
};

/// A source with what its files sum up to.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceView {
    /// Its identity.
    pub name: String,
    /// Where it is asked.
    pub url: String,
    /// How the last pass ended.
    pub state: SourceState,
    /// The last version that was applied as a whole.
    pub version: Option<String>,
    /// Number of files.
    pub files: i64,
    /// Offers of all files, shown or not.
    pub offers: i64,
    /// All rejects of all files.
    pub rejects: i64,
    /// When it last answered.
    pub last_sensed: Option<String>,
    /// When something of it was last applied.
    pub last_applied: Option<String>,
    /// Why the last pass failed.
    pub error: Option<String>,
}

/// A file with the name of its source.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct FileView {
    /// Name of the source.
    pub source: String,
    /// Relative to the source's folder.
    pub path: String,
    /// Whether the latest content is the accepted one.
    #[diesel(deserialize_as = String)]
    pub state: FileState,
    /// The accepted content; `None` while none ever was.
    pub hash: Option<String>,
    /// Size of the accepted content.
    pub size_bytes: i64,
    /// Rows of the accepted content, rejects included.
    pub rows: i64,
    /// Distinct skus that it offers.
    pub offers: i64,
    /// All of its rejects.
    pub rejects: i64,
    /// Why the latest content was rejected.
    pub reason: Option<String>,
}

impl Store {
    /// All sources with the sums over their files, by name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn sources_view(&mut self) -> Result<Vec<SourceView>, Error> {
        let sums = file_sums(&mut self.connection).doing(|| "sum up the files")?;
        let mut rows = self.sources()?;
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(rows.into_iter().map(|row| source_view(&sums, row)).collect())
    }

    /// At most `limit` files, by source name, then path.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn files_view(&mut self, limit: i64) -> Result<Vec<FileView>, Error> {
        files::table
            .inner_join(sources::table)
            .select((
                sources::name,
                files::path,
                files::state,
                files::hash,
                files::size_bytes,
                files::row_count,
                files::offers,
                files::rejects,
                files::rejected_reason,
            ))
            .order((sources::name, files::path))
            .limit(limit)
            .load(&mut self.connection)
            .doing(|| "read the files")
    }

    /// How many files there are.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn files_count(&mut self) -> Result<i64, Error> {
        files::table.count().get_result(&mut self.connection).doing(|| "count the files")
    }

    /// At most `limit` edits, by sku; with `sku` only that one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn edits_view(&mut self, sku: Option<&str>, limit: i64) -> Result<Vec<EditRow>, Error> {
        let query = edits::table.select(EditRow::as_select()).order(edits::sku).limit(limit);
        match sku {
            Some(sku) => query.filter(edits::sku.eq(sku)).load(&mut self.connection),
            None => query.load(&mut self.connection),
        }
        .doing(|| "read the edits")
    }

    /// How many edits there are; with `sku`, whether that one is there.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn edits_count(&mut self, sku: Option<&str>) -> Result<i64, Error> {
        match sku {
            Some(sku) => edits::table.filter(edits::sku.eq(sku)).count().get_result(&mut self.connection),
            None => edits::table.count().get_result(&mut self.connection),
        }
        .doing(|| "count the edits")
    }
}

/// Number of files, offers and rejects of a source.
type Sums = (i64, i64, i64);

/// The sums by source id. Added up here, because a database's own sum of BIGINTs is no BIGINT.
fn file_sums(connection: &mut AnyConnection) -> QueryResult<HashMap<i64, Sums>> {
    let rows: Vec<(i64, i64, i64)> =
        files::table.select((files::source_id, files::offers, files::rejects)).load(connection)?;
    let mut sums = HashMap::<i64, Sums>::new();
    for (source_id, offers, rejects) in rows {
        let sum = sums.entry(source_id).or_default();
        *sum = (sum.0 + 1, sum.1 + offers, sum.2 + rejects);
    }
    Ok(sums)
}

fn source_view(sums: &HashMap<i64, Sums>, row: SourceRow) -> SourceView {
    let (files, offers, rejects) = sums.get(&row.id).copied().unwrap_or_default();
    SourceView {
        name: row.name,
        url: row.url,
        state: row.state,
        version: row.version,
        files,
        offers,
        rejects,
        last_sensed: row.last_sensed,
        last_applied: row.last_applied,
        error: row.error,
    }
}
