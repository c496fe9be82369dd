//! The table `files`: the files of each source as a reader knows them, and which content of each was accepted. Their results are in
//! the tables of the readers: offers in `pages` and the catalog, the share in a report in `partials`.

use diesel::{
    backend::Backend,
    dsl::sql,
    expression::AsExpression,
    prelude::*,
    serialize::{self, Output, ToSql},
    sql_types::{Bool, Text},
};

use super::path_starts::{path_is, path_start, start_of};
use crate::{
    Error, Store,
    database::{
        error::{OrCannot, exactly_one},
        keys::KEYS_PER_STATEMENT,
        schema::{
            files::{self, dsl},
            pages, sources,
        },
    },
};

/// State of a file's latest content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression)]
#[diesel(sql_type = Text)]
pub enum FileState {
    /// Its results are in the tables.
    Applied,
    /// It could not be used; the accepted results stay.
    Rejected,
    /// It was not read yet, or changed faster than it could be read; the accepted results stay.
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

impl<DB: Backend> ToSql<Text, DB> for FileState
where
    str: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.as_str().to_sql(out)
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

/// One file of a source as one reader knows it.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = crate::database::schema::files)]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct FileRow {
    /// The target of the other tables' `file_id`; 0 in a row that is not stored yet.
    #[diesel(skip_insertion)]
    pub id: i64,
    /// Its reader.
    pub reader: String,
    /// Its source.
    pub source_id: i64,
    /// Relative to the source's folder, separated by `/`.
    pub path: String,
    /// Hash of the accepted content; `None` while none has been accepted.
    pub hash: Option<String>,
    /// Digest of the way the accepted content was read; `None` together with `hash`.
    pub reading: Option<String>,
    /// Ranks the file before its path does; empty if its path alone does.
    pub rank_key: String,
    /// Size of the accepted content.
    pub size_bytes: i64,
    /// Rows of the accepted content, rejects included.
    pub row_count: i64,
    /// Results of the accepted content: distinct skus, or groups.
    pub results: i64,
    /// Good rows of the accepted content that give nothing: replaced by a later row, or left out by a filter.
    pub unused: i64,
    /// All rejects of the accepted content, including those that are not kept as rows.
    pub rejects: i64,
    /// Rows of the accepted content with a stray quote that was read leniently.
    pub repaired: i64,
    /// Notes for people: what was guessed or left out when the accepted content was read.
    pub notes: Option<String>,
    /// State of the latest content.
    #[diesel(deserialize_as = String)]
    pub state: FileState,
    /// Hash of the latest content if it was rejected as a whole; `None` if it was accepted.
    pub rejected_hash: Option<String>,
    /// Digest of the way that content was read.
    pub rejected_reading: Option<String>,
    /// The reason why it was rejected.
    pub rejected_reason: Option<String>,
    /// The time when the accepted content was applied; `None` if that is not known.
    pub applied_at: Option<String>,
    /// The format of the accepted content, in words; `None` if that is not known.
    pub format: Option<String>,
    /// The header of the rejected content, a JSON list of names; `None` unless it lacks a column.
    pub rejected_header: Option<String>,
}

impl FileRow {
    /// A file without accepted content. [`Store::put_file`] stores it.
    #[must_use]
    pub fn new(reader: &str, source_id: i64, path: &str) -> Self {
        Self {
            id: 0,
            reader: reader.to_owned(),
            source_id,
            path: path.to_owned(),
            hash: None,
            reading: None,
            rank_key: String::new(),
            size_bytes: 0,
            row_count: 0,
            results: 0,
            unused: 0,
            rejects: 0,
            repaired: 0,
            notes: None,
            state: FileState::Changing,
            rejected_hash: None,
            rejected_reading: None,
            rejected_reason: None,
            applied_at: None,
            format: None,
            rejected_header: None,
        }
    }
}

/// The source and path of a file, with all that ranks its offers.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = files)]
pub struct FileOrigin {
    /// The file's id.
    pub id: i64,
    /// The id of its source.
    pub source_id: i64,
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

/// Rejected files of a source that are read at a time.
pub const MAX_REJECTED_FILES: i64 = 1_000;

impl Store {
    /// The files that one reader has of one source, by path.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn files(&mut self, reader: &str, source_id: i64) -> Result<Vec<FileRow>, Error> {
        dsl::files
            .filter(dsl::reader.eq(reader).and(dsl::source_id.eq(source_id)))
            .select(FileRow::as_select())
            .order(dsl::path)
            .load(&mut self.connection)
            .or_cannot(|| format!("read the files of source {source_id} for {reader:?}"))
    }

    /// The files of one reader, by source id, then path.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn files_of_reader(&mut self, reader: &str) -> Result<Vec<FileRow>, Error> {
        dsl::files
            .filter(dsl::reader.eq(reader))
            .select(FileRow::as_select())
            .order((dsl::source_id, dsl::path))
            .load(&mut self.connection)
            .or_cannot(|| format!("read the files of {reader:?}"))
    }

    /// One file of one reader, of the source of this name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn file_of(&mut self, reader: &str, source: &str, path: &str) -> Result<Option<FileRow>, Error> {
        files::table
            .inner_join(sources::table)
            .filter(files::reader.eq(reader).and(sources::name.eq(source)))
            .filter(path_is(path))
            .select(FileRow::as_select())
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read the file {path:?} of the source {source:?} for {reader:?}"))
    }

    /// The files that one reader has of one source at one of these paths, in no particular order. Paths without a file are left out.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn files_at<T: AsRef<str>>(
        &mut self,
        reader: &str,
        source_id: i64,
        paths: &[T],
    ) -> Result<Vec<FileRow>, Error> {
        let mut found = Vec::new();
        for paths in paths.chunks(KEYS_PER_STATEMENT) {
            let paths: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
            let starts: Vec<&str> = paths.iter().map(|path| start_of(path)).collect();
            let rows: Vec<FileRow> = dsl::files
                .filter(dsl::reader.eq(reader).and(dsl::source_id.eq(source_id)))
                .filter(path_start().eq_any(starts).and(dsl::path.eq_any(paths)))
                .select(FileRow::as_select())
                .load(&mut self.connection)
                .or_cannot(|| format!("read files of source {source_id} for {reader:?}"))?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// The files of a source that one reader rejects, with the reason, by path: at most [`MAX_REJECTED_FILES`]. Reads no others.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn rejected_files(&mut self, reader: &str, source_id: i64) -> Result<Vec<(String, Option<String>)>, Error> {
        let mut rejected: Vec<(String, Option<String>)> = dsl::files
            .filter(dsl::reader.eq(reader).and(dsl::source_id.eq(source_id)))
            // The text of the index `rejected_files`: SQLite does not use it for a bound value.
            .filter(sql::<Bool>("state = 'rejected'"))
            .select((dsl::path, dsl::rejected_reason))
            .limit(MAX_REJECTED_FILES)
            .load(&mut self.connection)
            .or_cannot(|| format!("read the rejected files of source {source_id} for {reader:?}"))?;
        // Asked for this order, SQLite would read all files by their paths instead.
        rejected.sort_unstable();
        Ok(rejected)
    }

    /// The number of files of a source that one reader rejects.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn count_rejected_files(&mut self, reader: &str, source_id: i64) -> Result<i64, Error> {
        dsl::files
            .filter(dsl::reader.eq(reader).and(dsl::source_id.eq(source_id)))
            .filter(sql::<Bool>("state = 'rejected'"))
            .count()
            .get_result(&mut self.connection)
            .or_cannot(|| format!("count the rejected files of source {source_id} for {reader:?}"))
    }

    /// The names of all readers that have files, by name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn readers(&mut self) -> Result<Vec<String>, Error> {
        let query = dsl::files.select(dsl::reader).distinct().order(dsl::reader);
        query.load(&mut self.connection).or_cannot(|| "read the readers of files")
    }

    /// The names of the sources that one reader has files of, by name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn sources_of_reader(&mut self, reader: &str) -> Result<Vec<String>, Error> {
        let of_source = dsl::files.filter(dsl::reader.eq(reader).and(dsl::source_id.eq(sources::id)));
        sources::table
            .filter(diesel::dsl::exists(of_source))
            .select(sources::name)
            .order(sources::name)
            .load(&mut self.connection)
            .or_cannot(|| format!("read the sources of {reader:?}"))
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

    /// Source, path and rank of every file of one reader, in no particular order.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn all_file_origins(&mut self, reader: &str) -> Result<Vec<FileOrigin>, Error> {
        let query = files::table.inner_join(sources::table).filter(files::reader.eq(reader));
        let query = query.select(FileOrigin::as_select());
        query.load(&mut self.connection).or_cannot(|| format!("read the sources of all files of {reader:?}"))
    }

    /// Stores a new file and sets its id, or replaces all columns of the one with this id. Returns the id.
    ///
    /// # Errors
    /// [`Error::Query`], for instance when the reader already has a file of this source and path; [`Error::Corrupt`] if no file has
    /// this id.
    pub fn put_file(&mut self, file: &mut FileRow) -> Result<i64, Error> {
        let connection = &mut self.connection;
        let FileRow { id, reader, path, .. } = &*file;
        let action = || format!("store the file {path:?} for {reader:?}");
        if *id != 0 {
            let changed = connection.run(diesel::update(dsl::files.filter(dsl::id.eq(id))).set(&*file));
            exactly_one(changed.or_cannot(action)?, || format!("`files` has no row with the id {id} ({path:?})"))?;
            return Ok(*id);
        }
        connection.run(diesel::insert_into(dsl::files).values(&*file)).or_cannot(action)?;
        let this = dsl::reader.eq(reader).and(dsl::source_id.eq(file.source_id)).and(dsl::path.eq(path));
        file.id = dsl::files.filter(this).select(dsl::id).first(connection).or_cannot(action)?;
        Ok(file.id)
    }

    /// Deletes a file with its pages, partial and rejects. Its offers must be removed from `products` and `shadowed` before.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] if there is no such file.
    pub fn delete_file(&mut self, id: i64) -> Result<(), Error> {
        let action = || format!("delete file {id}");
        diesel::delete(pages::table.filter(pages::file_id.eq(id))).execute(&mut self.connection).or_cannot(action)?;
        let deleted =
            diesel::delete(dsl::files.filter(dsl::id.eq(id))).execute(&mut self.connection).or_cannot(action)?;
        exactly_one(deleted, || format!("`files` has no row with the id {id}"))
    }

    /// Deletes all files of a reader with their partials and rejects.
    ///
    /// # Errors
    /// [`Error::Query`], for instance while they have pages.
    pub fn delete_files_of_reader(&mut self, reader: &str) -> Result<(), Error> {
        diesel::delete(dsl::files.filter(dsl::reader.eq(reader)))
            .execute(&mut self.connection)
            .or_cannot(|| format!("delete the files of {reader:?}"))?;
        Ok(())
    }
}
