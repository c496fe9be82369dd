//! The table `uploads`: the uploads and their outcome, as far as it must outlive the process.

use diesel::{dsl::exists, prelude::*};

use crate::{
    Error, Store,
    database::{
        error::{OrCannot, exactly_one},
        schema::uploads::{self, dsl},
    },
};

/// The newest uploads, which are always kept. Of older ones, only those that are in progress, or whose file is still in the
/// folder, are kept.
const MAX_FINISHED_UPLOADS: i64 = 1_000;

/// The state of an upload. Finer progress is known to the running process only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadState {
    /// Its body is being received.
    Receiving,
    /// Its file is on disk; not every reader of the file has committed it yet.
    Queued,
    /// Every reader of its file has committed it.
    Complete,
    /// It failed, and its file does not exist.
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

    /// True if the state can no longer change.
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
            .ok_or_else(|| format!("unknown state `{word}` of an upload"))
    }
}

/// One upload.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::database::schema::uploads)]
pub struct UploadRow {
    /// The key: 32 hex digits.
    pub id: String,
    /// Path of its file in the source `uploads`.
    pub filename: String,
    /// Its state.
    #[diesel(deserialize_as = String)]
    pub state: UploadState,
    /// Length of its body; 0 until it was received in full.
    pub bytes: i64,
    /// Hash of its content, as in a manifest; `None` until it was received in full.
    pub hash: Option<String>,
    /// True if it replaces a file.
    pub replaces: bool,
    /// Rows read, rejects included.
    pub row_count: i64,
    /// Rows that could not be used.
    pub rejects: i64,
    /// The reason why it failed.
    pub error: Option<String>,
    /// Start time, RFC 3339.
    pub created_at: String,
    /// End time, RFC 3339; `None` while it is in progress.
    pub finished_at: Option<String>,
}

impl Store {
    /// Stores an upload, or replaces all columns of the one with this id, and deletes finished ones that are too old.
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
            .or_cannot(action)?;
        if changed == 0 {
            diesel::insert_into(dsl::uploads)
                .values((dsl::id.eq(&row.id), columns))
                .execute(&mut self.connection)
                .or_cannot(action)?;
            self.delete_old_uploads()?;
        }
        Ok(())
    }

    fn delete_old_uploads(&mut self) -> Result<(), Error> {
        let action = || "delete old uploads";
        let oldest_kept: Option<String> = dsl::uploads
            .select(dsl::created_at)
            .order((dsl::created_at.desc(), dsl::id.desc()))
            .offset(MAX_FINISHED_UPLOADS - 1)
            .first(&mut self.connection)
            .optional()
            .or_cannot(action)?;
        let Some(oldest_kept) = oldest_kept else { return Ok(()) };
        // A complete upload whose file is still in the folder can be withdrawn at any time, so it stays until another replaces it.
        let later = diesel::alias!(uploads as later);
        let replaced = later
            .filter(later.field(dsl::filename).eq(dsl::filename))
            .filter(later.field(dsl::state).eq(UploadState::Complete.as_str()))
            .filter(later.field(dsl::finished_at).gt(dsl::finished_at));
        let is_over = dsl::state.eq(UploadState::Failed.as_str()).or(exists(replaced));
        let too_old = dsl::created_at.lt(oldest_kept).and(dsl::finished_at.is_not_null()).and(is_over);
        diesel::delete(dsl::uploads.filter(too_old)).execute(&mut self.connection).or_cannot(action)?;
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
            .or_cannot(|| format!("read the upload {id}"))
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
        query.load(&mut self.connection).or_cannot(|| "read the uploads")
    }

    /// Deletes an upload.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] if there is no such upload.
    pub fn delete_upload(&mut self, id: &str) -> Result<(), Error> {
        let deleted = diesel::delete(dsl::uploads.filter(dsl::id.eq(id)))
            .execute(&mut self.connection)
            .or_cannot(|| format!("delete the upload {id}"))?;
        exactly_one(deleted, || format!("`uploads` has no row with the id {id}"))
    }
}
