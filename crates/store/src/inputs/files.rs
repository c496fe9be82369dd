//! The table `files`: the files of each source, and which content of each was accepted. The offers of a file are in `pages` and in
//! the catalog.

use diesel::{dsl::sql, prelude::*, sql_types::Bool};

use crate::{
    Error, Store,
    database::{
        error::{OrCannot, exactly_one},
        schema::{
            files::{self, dsl},
            pages, rejects, sources,
        },
    },
    sqlite::KEYS_PER_STATEMENT,
};

/// State of a file's latest content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// Its content is in the tables.
    Applied,
    /// Its content could not be used; the accepted rows stay.
    Rejected,
    /// It changed faster than it could be read; the accepted rows stay.
    Changing,
}

impl FileState {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            FileState::Applied => "applied",
            FileState::Rejected => "rejected",
            FileState::Changing => "changing",
        }
    }
}

impl std::fmt::Display for FileState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for FileState {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        [FileState::Applied, FileState::Rejected, FileState::Changing]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| format!("unknown state `{word}` of a file"))
    }
}

/// One file of a source.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::database::schema::files)]
pub struct FileRow {
    /// The target of the other tables' `file_id`.
    pub id: i64,
    /// Its source.
    pub source_id: i64,
    /// Relative to the source's folder, separated by `/`.
    pub path: String,
    /// Hash of the accepted content; `None` while none has been accepted.
    pub hash: Option<String>,
    /// Digest of the way the accepted content was read; `None` together with `hash`.
    pub reading: Option<String>,
    /// Size of the accepted content.
    pub size_bytes: i64,
    /// Rows of the accepted content, rejects included.
    pub row_count: i64,
    /// Distinct skus that the accepted content offers.
    pub offers: i64,
    /// All rejects of the accepted content, including those that are not kept as rows.
    pub rejects: i64,
    /// State of the latest content.
    #[diesel(deserialize_as = String)]
    pub state: FileState,
    /// Hash of the latest content if it was rejected as a whole; `None` if it was accepted.
    pub rejected_hash: Option<String>,
    /// Digest of the way that content was read.
    pub rejected_reading: Option<String>,
    /// The reason why it was rejected.
    pub rejected_reason: Option<String>,
    /// Ranks the file before its path does; empty if its path alone does.
    pub rank_key: String,
    /// Rows of the accepted content with a stray quote that was read leniently.
    pub repaired: i64,
    /// Good rows of the accepted content that a later row of the file replaces.
    pub replaced: i64,
    /// Notes for people: what was guessed or left out when the accepted content was read.
    pub notes: Option<String>,
}

/// The source and path of a file, with all that ranks its offers.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = files)]
pub struct FileOrigin {
    /// The file's id.
    pub id: i64,
    /// Name of its source.
    #[diesel(select_expression = sources::name)]
    pub source: String,
    /// Relative to the source's folder, separated by `/`.
    pub path: String,
    /// Its source's priority; the higher one wins.
    #[diesel(select_expression = sources::priority)]
    pub priority: i64,
    /// Its source's position in the configuration.
    #[diesel(select_expression = sources::position)]
    pub position: i64,
    /// Ranks the file within its source, before its path does.
    pub rank_key: String,
}

impl Store {
    /// The files of one source, by path.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn files(&mut self, source_id: i64) -> Result<Vec<FileRow>, Error> {
        dsl::files
            .filter(dsl::source_id.eq(source_id))
            .select(FileRow::as_select())
            .order(dsl::path)
            .load(&mut self.connection)
            .or_cannot(|| format!("read the files of source {source_id}"))
    }

    /// One file of a source.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn file(&mut self, source_id: i64, path: &str) -> Result<Option<FileRow>, Error> {
        dsl::files
            .filter(dsl::source_id.eq(source_id).and(dsl::path.eq(path)))
            .select(FileRow::as_select())
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read the file {path:?} of source {source_id}"))
    }

    /// One file of the source of this name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn file_of(&mut self, source: &str, path: &str) -> Result<Option<FileRow>, Error> {
        files::table
            .inner_join(sources::table)
            .filter(sources::name.eq(source).and(files::path.eq(path)))
            .select(FileRow::as_select())
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read the file {path:?} of the source {source:?}"))
    }

    /// The files of a source that have one of these paths, in no particular order. Paths without a file are left out.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn files_at<T: AsRef<str>>(&mut self, source_id: i64, paths: &[T]) -> Result<Vec<FileRow>, Error> {
        let mut found = Vec::new();
        for paths in paths.chunks(KEYS_PER_STATEMENT) {
            let paths = paths.iter().map(AsRef::as_ref);
            let query = dsl::files.filter(dsl::source_id.eq(source_id).and(dsl::path.eq_any(paths)));
            let rows: Vec<FileRow> = query
                .select(FileRow::as_select())
                .load(&mut self.connection)
                .or_cannot(|| format!("read files of source {source_id}"))?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// The rejected files of a source with the reason, by path. Reads no others.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn rejected_files(&mut self, source_id: i64) -> Result<Vec<(String, Option<String>)>, Error> {
        let mut rejected: Vec<(String, Option<String>)> = dsl::files
            .filter(dsl::source_id.eq(source_id))
            // The text of the index `rejected_files`: SQLite does not use it for a bound value.
            .filter(sql::<Bool>("state = 'rejected'"))
            .select((dsl::path, dsl::rejected_reason))
            .load(&mut self.connection)
            .or_cannot(|| format!("read the rejected files of source {source_id}"))?;
        // Asked for this order, SQLite would read all files by their paths instead.
        rejected.sort_unstable();
        Ok(rejected)
    }

    /// Source, path and rank of some files, in no particular order. Ids without a file are left out.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn file_origins(&mut self, ids: &[i64]) -> Result<Vec<FileOrigin>, Error> {
        let mut origins = Vec::new();
        for ids in ids.chunks(KEYS_PER_STATEMENT) {
            let query = files::table.inner_join(sources::table).filter(files::id.eq_any(ids));
            let query = query.select(FileOrigin::as_select());
            origins.extend(query.load(&mut self.connection).or_cannot(|| "read the sources of some files")?);
        }
        Ok(origins)
    }

    /// Source, path and rank of every file, in no particular order.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn all_file_origins(&mut self) -> Result<Vec<FileOrigin>, Error> {
        let query = files::table.inner_join(sources::table).select(FileOrigin::as_select());
        query.load(&mut self.connection).or_cannot(|| "read the sources of all files")
    }

    /// Stores a new file without accepted content. Its state is [`FileState::Changing`].
    ///
    /// # Errors
    /// [`Error::Query`], for instance when the source already has a file of this path.
    pub fn insert_file(&mut self, source_id: i64, path: &str) -> Result<FileRow, Error> {
        diesel::insert_into(files::table)
            .values((
                dsl::source_id.eq(source_id),
                dsl::path.eq(path),
                dsl::size_bytes.eq(0),
                dsl::row_count.eq(0),
                dsl::offers.eq(0),
                dsl::rejects.eq(0),
                dsl::rank_key.eq(""),
                dsl::repaired.eq(0),
                dsl::replaced.eq(0),
                dsl::state.eq(FileState::Changing.as_str()),
            ))
            .execute(&mut self.connection)
            .or_cannot(|| format!("insert the file {path:?}"))?;
        let inserted = self.file(source_id, path)?;
        inserted.ok_or_else(|| Error::Corrupt { what: format!("`files` has no row for {path:?}, just inserted") })
    }

    /// Replaces all columns of a file.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] if there is no such file.
    pub fn update_file(&mut self, file: &FileRow) -> Result<(), Error> {
        let changed = diesel::update(dsl::files.filter(dsl::id.eq(file.id)))
            .set((
                dsl::source_id.eq(file.source_id),
                dsl::path.eq(file.path.as_str()),
                dsl::hash.eq(file.hash.as_deref()),
                dsl::reading.eq(file.reading.as_deref()),
                dsl::size_bytes.eq(file.size_bytes),
                dsl::row_count.eq(file.row_count),
                dsl::offers.eq(file.offers),
                dsl::rejects.eq(file.rejects),
                dsl::state.eq(file.state.as_str()),
                dsl::rejected_hash.eq(file.rejected_hash.as_deref()),
                dsl::rejected_reading.eq(file.rejected_reading.as_deref()),
                dsl::rejected_reason.eq(file.rejected_reason.as_deref()),
                (
                    dsl::rank_key.eq(file.rank_key.as_str()),
                    dsl::repaired.eq(file.repaired),
                    dsl::replaced.eq(file.replaced),
                    dsl::notes.eq(file.notes.as_deref()),
                ),
            ))
            .execute(&mut self.connection)
            .or_cannot(|| format!("change the file {:?}", file.path))?;
        exactly_one(changed, || format!("`files` has no row with the id {} ({:?})", file.id, file.path))
    }

    /// Deletes a file with its pages and rejects. Its offers must be removed from `products` and `shadowed` before.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] if there is no such file.
    pub fn delete_file(&mut self, id: i64) -> Result<(), Error> {
        let action = || format!("delete file {id}");
        diesel::delete(pages::table.filter(pages::file_id.eq(id))).execute(&mut self.connection).or_cannot(action)?;
        diesel::delete(rejects::table.filter(rejects::file_id.eq(id)))
            .execute(&mut self.connection)
            .or_cannot(action)?;
        let deleted =
            diesel::delete(dsl::files.filter(dsl::id.eq(id))).execute(&mut self.connection).or_cannot(action)?;
        exactly_one(deleted, || format!("`files` has no row with the id {id}"))
    }
}
