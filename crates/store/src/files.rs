//! The files of the sources and which content of each was accepted. Not what they offer, which is in `pages`,
//! `products` and `shadowed`.

use diesel::prelude::*;

use crate::{
    Error, Store,
    error::{Doing, exactly_one},
    schema::{
        files::{self, dsl},
        pages, rejects, sources,
    },
    state::CHUNK,
};

/// How a file is.
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
            .ok_or_else(|| format!("`{word}` is no state of a file"))
    }
}

/// One file of a source.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::schema::files)]
pub struct FileRow {
    /// What the other tables' `file_id` points to.
    pub id: i64,
    /// The source that has it.
    pub source_id: i64,
    /// Relative to the source's folder, `/`-separated.
    pub path: String,
    /// The accepted content; `None` while none ever was.
    pub hash: Option<String>,
    /// How the accepted content was read; `None` with `hash`.
    pub reading: Option<String>,
    /// Size of the accepted content.
    pub size_bytes: i64,
    /// Rows of the accepted content, rejects included.
    pub row_count: i64,
    /// Distinct skus that the accepted content offers.
    pub offers: i64,
    /// All rejects of the accepted content, also those that are not kept as rows.
    pub rejects: i64,
    /// Whether the latest content is the accepted one.
    #[diesel(deserialize_as = String)]
    pub state: FileState,
    /// The latest content that was rejected as a whole; `None` when the latest was accepted.
    pub rejected_hash: Option<String>,
    /// How that content was read.
    pub rejected_reading: Option<String>,
    /// Why it was rejected.
    pub rejected_reason: Option<String>,
}

/// Where a file comes from.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct FileOrigin {
    /// The file's id.
    pub id: i64,
    /// Name of its source.
    pub source: String,
    /// Relative to the source's folder, `/`-separated.
    pub path: String,
    /// Its source's; higher wins.
    pub priority: i64,
    /// Its source's place in the configuration.
    pub position: i64,
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
            .doing(|| format!("read the files of source {source_id}"))
    }

    /// The files of all sources, by source id, then path.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn all_files(&mut self) -> Result<Vec<FileRow>, Error> {
        dsl::files
            .select(FileRow::as_select())
            .order((dsl::source_id, dsl::path))
            .load(&mut self.connection)
            .doing(|| "read the files")
    }

    /// Where these files come from, in no order; one that is not there is left out.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn file_origins(&mut self, ids: &[i64]) -> Result<Vec<FileOrigin>, Error> {
        let mut origins = Vec::new();
        for ids in ids.chunks(CHUNK) {
            let query = files::table.inner_join(sources::table).filter(files::id.eq_any(ids)).select((
                files::id,
                sources::name,
                files::path,
                sources::priority,
                sources::position,
            ));
            origins.extend(query.load::<FileOrigin>(&mut self.connection).doing(|| "read where files come from")?);
        }
        Ok(origins)
    }

    /// Stores a new file of which nothing is known yet: no content was accepted, and it counts as changing.
    ///
    /// # Errors
    /// [`Error::Query`], when the source already has a file of this path above all.
    pub fn insert_file(&mut self, source_id: i64, path: &str) -> Result<FileRow, Error> {
        diesel::insert_into(files::table)
            .values((
                dsl::source_id.eq(source_id),
                dsl::path.eq(path),
                dsl::size_bytes.eq(0),
                dsl::row_count.eq(0),
                dsl::offers.eq(0),
                dsl::rejects.eq(0),
                dsl::state.eq(FileState::Changing.as_str()),
            ))
            .execute(&mut self.connection)
            .doing(|| format!("insert the file {path:?}"))?;
        dsl::files
            .filter(dsl::source_id.eq(source_id).and(dsl::path.eq(path)))
            .select(FileRow::as_select())
            .first(&mut self.connection)
            .doing(|| format!("find the file {path:?}"))
    }

    /// Stores every column of a file anew.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] without that file.
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
            ))
            .execute(&mut self.connection)
            .doing(|| format!("change the file {:?}", file.path))?;
        exactly_one(changed, || format!("`files` has no row with the id {} ({:?})", file.id, file.path))
    }

    /// Deletes a file with its pages and rejects. Its offers must have been taken out of `products` and `shadowed`.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] without that file.
    pub fn delete_file(&mut self, id: i64) -> Result<(), Error> {
        let action = || format!("delete file {id}");
        diesel::delete(pages::table.filter(pages::file_id.eq(id))).execute(&mut self.connection).doing(action)?;
        diesel::delete(rejects::table.filter(rejects::file_id.eq(id))).execute(&mut self.connection).doing(action)?;
        let deleted = diesel::delete(dsl::files.filter(dsl::id.eq(id))).execute(&mut self.connection).doing(action)?;
        exactly_one(deleted, || format!("`files` has no row with the id {id}"))
    }
}
