//! Files with the names of their sources, for people and programs.

use diesel::{connection::DefaultLoadingMode, dsl::sql, prelude::*, sql_types::Bool};

use super::files::FileState;
use crate::{
    Error, Store,
    database::{
        error::OrCannot,
        schema::{files, sources},
    },
};

/// A file of a reader with the name of its source.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = files)]
pub struct FileView {
    /// Name of the source.
    #[diesel(select_expression = sources::name)]
    pub source: String,
    /// Its reader.
    pub reader: String,
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
    #[diesel(column_name = row_count)]
    pub rows: i64,
    /// Its results: distinct skus, or groups.
    pub results: i64,
    /// All of its rejects.
    pub rejects: i64,
    /// The reason why the latest content was rejected.
    #[diesel(column_name = rejected_reason)]
    pub reason: Option<String>,
    /// Rows with a stray quote that was read leniently.
    pub repaired: i64,
    /// Good rows that give nothing.
    pub unused: i64,
    /// Notes for people: what was guessed or left out when it was read.
    pub notes: Option<String>,
    /// Format of the accepted content, in words.
    pub format: Option<String>,
    /// The time when the accepted content was applied.
    pub applied_at: Option<String>,
}

/// Restricts files to those of some readers, of a source, in a state, or all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileFilter {
    /// Only files of these readers.
    pub readers: Vec<String>,
    /// Only files of the source with this name.
    pub source: Option<String>,
    /// Only files whose latest content is rejected.
    pub only_rejected: bool,
}

impl FileFilter {
    /// All files of one reader.
    #[must_use]
    pub fn of_reader(reader: &str) -> Self {
        Self { readers: vec![reader.to_owned()], ..Self::default() }
    }
}

impl Store {
    /// At most `limit` files that pass a filter, behind the first `offset`, by source name, then path, then reader.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn files_view(&mut self, filter: &FileFilter, offset: i64, limit: i64) -> Result<Vec<FileView>, Error> {
        let mut files = Vec::new();
        self.each_file_view(filter, (offset, limit), |file| {
            files.push(file);
            Ok::<_, Error>(())
        })?;
        Ok(files)
    }

    /// Passes the same files to `take` as they are read.
    ///
    /// # Errors
    /// [`Error::Query`], and those of `take`.
    pub fn each_file_view<E: From<Error>>(
        &mut self,
        filter: &FileFilter,
        (offset, limit): (i64, i64),
        mut take: impl FnMut(FileView) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut query = files::table
            .inner_join(sources::table)
            .filter(files::reader.eq_any(&filter.readers))
            .select(FileView::as_select())
            .order((sources::name, files::path, files::reader))
            .limit(limit)
            .offset(offset)
            .into_boxed();
        if let Some(source) = &filter.source {
            query = query.filter(sources::name.eq(source));
        }
        if filter.only_rejected {
            // The text of the index `rejected_files`.
            query = query.filter(sql::<Bool>("files.state = 'rejected'"));
        }
        let action = || "read the files";
        let rows = query.load_iter::<FileView, DefaultLoadingMode>(&mut self.connection).or_cannot(action)?;
        for row in rows {
            take(row.or_cannot(action)?)?;
        }
        Ok(())
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
