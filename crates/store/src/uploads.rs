//! The uploads: what was sent, and what became of it. Not their files, which lie in a folder that this crate knows nothing of.

use diesel::{dsl::exists, prelude::*};

use crate::{
    Error, FileRow, Store,
    error::{Doing, exactly_one},
    schema::uploads::dsl,
};

/// How many uploads are kept.
const KEPT: i64 = 1_000;

/// How an upload is, as far as that must outlive the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadState {
    /// Its body is coming in.
    Receiving,
    /// All of it is on disk; whoever reads its file has not committed it yet.
    Queued,
    /// All who read its file have committed it.
    Complete,
    /// It came to nothing, and its file is not there.
    Failed,
}

impl UploadState {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            UploadState::Receiving => "receiving",
            UploadState::Queued => "queued",
            UploadState::Complete => "complete",
            UploadState::Failed => "failed",
        }
    }

    /// Whether nothing will become of it any more.
    pub fn is_final(self) -> bool {
        matches!(self, UploadState::Complete | UploadState::Failed)
    }
}

impl TryFrom<String> for UploadState {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        [UploadState::Receiving, UploadState::Queued, UploadState::Complete, UploadState::Failed]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| format!("`{word}` is no state of an upload"))
    }
}

/// One upload.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::schema::uploads)]
pub struct UploadRow {
    /// Its number: 32 hex digits.
    pub id: String,
    /// Its file's path in the source `uploads`.
    pub filename: String,
    /// How it is.
    #[diesel(deserialize_as = String)]
    pub state: UploadState,
    /// Length of its body; 0 until all of it was there.
    pub bytes: i64,
    /// Hash of its content, as in a manifest; `None` until all of it was there.
    pub hash: Option<String>,
    /// Whether it took the place of a file.
    pub replaces: bool,
    /// Rows that were read, rejects included.
    pub row_count: i64,
    /// Rows that could not be used.
    pub rejects: i64,
    /// Why it failed.
    pub error: Option<String>,
    /// When it began, RFC 3339.
    pub created_at: String,
    /// When it ended, RFC 3339; `None` while it is under way.
    pub finished_at: Option<String>,
}

impl Store {
    /// Stores an upload, or every column of it anew, and lets go of finished ones that are too old to keep.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn put_upload(&mut self, row: &UploadRow) -> Result<(), Error> {
        let action = || format!("store the upload {}", row.id);
        let columns = (
            dsl::filename.eq(&row.filename),
            dsl::state.eq(row.state.as_str()),
            dsl::bytes.eq(row.bytes),
            dsl::hash.eq(row.hash.as_deref()),
            dsl::replaces.eq(row.replaces),
            dsl::row_count.eq(row.row_count),
            dsl::rejects.eq(row.rejects),
            dsl::error.eq(row.error.as_deref()),
            dsl::created_at.eq(&row.created_at),
            dsl::finished_at.eq(row.finished_at.as_deref()),
        );
        let changed = diesel::update(dsl::uploads.filter(dsl::id.eq(&row.id)))
            .set(columns)
            .execute(&mut self.connection)
            .doing(action)?;
        if changed == 0 {
            diesel::insert_into(dsl::uploads)
                .values((dsl::id.eq(&row.id), columns))
                .execute(&mut self.connection)
                .doing(action)?;
            self.forget_old_uploads()?;
        }
        Ok(())
    }

    fn forget_old_uploads(&mut self) -> Result<(), Error> {
        let action = || "forget old uploads";
        let oldest_kept: Option<String> = dsl::uploads
            .select(dsl::created_at)
            .order((dsl::created_at.desc(), dsl::id.desc()))
            .offset(KEPT - 1)
            .first(&mut self.connection)
            .optional()
            .doing(action)?;
        let Some(oldest_kept) = oldest_kept else { return Ok(()) };
        // Who has uploaded a file that is in the folder can take it away again, however long ago that was.
        let later = diesel::alias!(crate::schema::uploads as later);
        let replaced = later
            .filter(later.field(dsl::filename).eq(dsl::filename))
            .filter(later.field(dsl::state).eq(UploadState::Complete.as_str()))
            .filter(later.field(dsl::finished_at).gt(dsl::finished_at));
        let is_over = dsl::state.eq(UploadState::Failed.as_str()).or(exists(replaced));
        let too_old = dsl::created_at.lt(oldest_kept).and(dsl::finished_at.is_not_null()).and(is_over);
        diesel::delete(dsl::uploads.filter(too_old)).execute(&mut self.connection).doing(action)?;
        Ok(())
    }

    /// One upload.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn upload(&mut self, id: &str) -> Result<Option<UploadRow>, Error> {
        dsl::uploads
            .filter(dsl::id.eq(id))
            .select(UploadRow::as_select())
            .first(&mut self.connection)
            .optional()
            .doing(|| format!("read the upload {id}"))
    }

    /// The uploads, the newest first; with `filename` only those of that file.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn uploads(&mut self, filename: Option<&str>) -> Result<Vec<UploadRow>, Error> {
        let query =
            dsl::uploads.select(UploadRow::as_select()).order((dsl::created_at.desc(), dsl::id.desc())).into_boxed();
        let query = match filename {
            Some(filename) => query.filter(dsl::filename.eq(filename)),
            None => query,
        };
        query.load(&mut self.connection).doing(|| "read the uploads")
    }

    /// Forgets an upload.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] without that upload.
    pub fn delete_upload(&mut self, id: &str) -> Result<(), Error> {
        let deleted = diesel::delete(dsl::uploads.filter(dsl::id.eq(id)))
            .execute(&mut self.connection)
            .doing(|| format!("forget the upload {id}"))?;
        exactly_one(deleted, || format!("`uploads` has no row with the id {id}"))
    }

    /// What is stored of one file of the source of this name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn file_of(&mut self, source: &str, path: &str) -> Result<Option<FileRow>, Error> {
        use crate::schema::{files, sources};
        files::table
            .inner_join(sources::table)
            .filter(sources::name.eq(source).and(files::path.eq(path)))
            .select(FileRow::as_select())
            .first(&mut self.connection)
            .optional()
            .doing(|| format!("read the file {path:?} of the source {source:?}"))
    }
}
