//! The table `documents`: one row per document, from the first byte to its end and beyond. `places` asks which of them count.

use std::collections::HashSet;

use diesel::{
    backend::Backend,
    connection::DefaultLoadingMode,
    deserialize::{self, FromStaticSqlRow},
    prelude::*,
    sql_types::{Nullable, Text},
};

use crate::{
    Error, Store,
    database::{
        error::{OrCannot, exactly_one},
        keys::KEYS_PER_STATEMENT,
        schema::documents::{self, dsl},
    },
};

/// Documents without a file that are kept, the newest.
const MAX_ENDED_DOCUMENTS: i64 = 1_000;

/// The state of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentState {
    /// Its body is being received.
    Receiving,
    /// Its file is on disk; not every reader of the file has committed it yet.
    Queued,
    /// Every reader of its file has committed it.
    Complete,
    /// It failed, and its file is deleted.
    Failed,
    /// A later document of its path has taken its place before it was read, and its file is deleted.
    Superseded,
    /// It was taken back, or forgotten after it had failed. Nobody is told of it any more.
    Deleted,
}

impl DocumentState {
    const ALL: [Self; 6] =
        [Self::Receiving, Self::Queued, Self::Complete, Self::Failed, Self::Superseded, Self::Deleted];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Queued => "queued",
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
            Self::Deleted => "deleted",
        }
    }

    /// Returns true if the document is no longer under way.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Receiving | Self::Queued)
    }
}

impl TryFrom<String> for DocumentState {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| format!("unknown state `{word}` of a document"))
    }
}

/// The part that a document has in its path. A document with a place has a file; there is at most one per path and place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is accepted: its path stands for it unless there is a next one.
    Current,
    /// It waits to be read, and its path stands for it meanwhile.
    Next,
}

impl Place {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Next => "next",
        }
    }
}

/// The nullable column of a [`Place`].
pub struct PlaceColumn(Option<String>);

impl<DB: Backend> Queryable<Nullable<Text>, DB> for PlaceColumn
where
    Option<String>: FromStaticSqlRow<Nullable<Text>, DB>,
{
    type Row = Option<String>;

    fn build(word: Option<String>) -> deserialize::Result<Self> {
        Ok(Self(word))
    }
}

impl TryFrom<PlaceColumn> for Option<Place> {
    type Error = String;

    fn try_from(PlaceColumn(word): PlaceColumn) -> Result<Self, String> {
        let Some(word) = word else { return Ok(None) };
        let found = [Place::Current, Place::Next].into_iter().find(|place| place.as_str() == word);
        found.map(Some).ok_or_else(|| format!("unknown place `{word}` of a document"))
    }
}

/// One document.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = documents)]
pub struct DocumentRow {
    /// The key: 32 hex digits.
    pub id: String,
    /// Its path in the source `uploads`.
    pub path: String,
    /// Its state.
    #[diesel(deserialize_as = String)]
    pub state: DocumentState,
    /// Its part in its path; `None` if it has no file.
    #[diesel(deserialize_as = PlaceColumn)]
    pub place: Option<Place>,
    /// Length of its body; 0 until it was received in full.
    pub bytes: i64,
    /// Hash of its body, as in a manifest; `None` until it was received in full.
    pub hash: Option<String>,
    /// Rows read, rejects included.
    pub row_count: i64,
    /// Rows that could not be used.
    pub rejects: i64,
    /// The reason why it failed.
    pub error: Option<String>,
    /// Id of the message that brought it.
    pub message: Option<String>,
    /// Its number among the documents of its path.
    pub sequence: Option<i64>,
    /// Start time, RFC 3339.
    pub created_at: String,
    /// End time, RFC 3339; `None` while it is under way.
    pub finished_at: Option<String>,
    /// Announced length of a body that may come in parts; `None` for others. Of such a body, `bytes` are on disk for sure.
    pub length: Option<i64>,
    /// True if such a body may replace a document.
    pub may_replace: bool,
    /// Time when such a body is given up, RFC 3339.
    pub expires_at: Option<String>,
    /// The header of its file, a JSON list of names; `None` unless it failed for lack of a column.
    pub header: Option<String>,
    /// The sender; `None`: not known.
    pub sent_by: Option<String>,
}

impl DocumentRow {
    /// A document of which nothing has come yet.
    #[must_use]
    pub fn new(id: &str, path: &str, created_at: &str) -> Self {
        Self {
            id: id.to_owned(),
            path: path.to_owned(),
            state: DocumentState::Receiving,
            place: None,
            bytes: 0,
            hash: None,
            row_count: 0,
            rejects: 0,
            error: None,
            message: None,
            sequence: None,
            created_at: created_at.to_owned(),
            finished_at: None,
            length: None,
            may_replace: false,
            expires_at: None,
            header: None,
            sent_by: None,
        }
    }
}

/// All columns but the key.
macro_rules! columns {
    ($row:expr) => {
        (
            dsl::path.eq(&$row.path),
            dsl::state.eq($row.state.as_str()),
            dsl::place.eq($row.place.map(Place::as_str)),
            dsl::bytes.eq($row.bytes),
            dsl::hash.eq($row.hash.as_deref()),
            dsl::row_count.eq($row.row_count),
            dsl::rejects.eq($row.rejects),
            dsl::error.eq($row.error.as_deref()),
            dsl::message.eq($row.message.as_deref()),
            dsl::sequence.eq($row.sequence),
            dsl::created_at.eq(&$row.created_at),
            dsl::finished_at.eq($row.finished_at.as_deref()),
            (
                dsl::length.eq($row.length),
                dsl::may_replace.eq($row.may_replace),
                dsl::expires_at.eq($row.expires_at.as_deref()),
                dsl::header.eq($row.header.as_deref()),
                dsl::sent_by.eq($row.sent_by.as_deref()),
            ),
        )
    };
}

impl Store {
    /// Stores a new document.
    ///
    /// # Errors
    /// [`Error::Query`], for instance when there is a document with this id, or one with this path and place.
    pub fn insert_document(&mut self, row: &DocumentRow) -> Result<(), Error> {
        let insert = diesel::insert_into(dsl::documents).values((dsl::id.eq(&row.id), columns!(row)));
        self.connection.run(insert).or_cannot(|| format!("store the document {}", row.id))?;
        Ok(())
    }

    /// Replaces all columns of a document.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] if there is no such document.
    pub fn update_document(&mut self, row: &DocumentRow) -> Result<(), Error> {
        let update = diesel::update(dsl::documents.filter(dsl::id.eq(&row.id))).set(columns!(row));
        let changed = self.connection.run(update).or_cannot(|| format!("change the document {}", row.id))?;
        exactly_one(changed, || format!("`documents` has no row with the id {}", row.id))
    }

    /// One document.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn document(&mut self, id: &str) -> Result<Option<DocumentRow>, Error> {
        dsl::documents
            .filter(dsl::id.eq(id))
            .select(DocumentRow::as_select())
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read the document {id}"))
    }

    /// At most `limit` documents, the newest first, but none that was taken back; with `path` only those of that path.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn newest_documents(&mut self, path: Option<&str>, limit: i64) -> Result<Vec<DocumentRow>, Error> {
        let mut rows = Vec::new();
        self.each_newest_document(path, limit, |row| {
            rows.push(row);
            Ok::<_, Error>(())
        })?;
        Ok(rows)
    }

    /// Passes the same documents to `take` as they are read.
    ///
    /// # Errors
    /// [`Error::Query`], and those of `take`.
    pub fn each_newest_document<E: From<Error>>(
        &mut self,
        path: Option<&str>,
        limit: i64,
        mut take: impl FnMut(DocumentRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut query = dsl::documents
            .filter(dsl::state.ne(DocumentState::Deleted.as_str()))
            .select(DocumentRow::as_select())
            .order((dsl::created_at.desc(), dsl::id.desc()))
            .limit(limit)
            .into_boxed();
        if let Some(path) = path {
            query = query.filter(dsl::path.eq(path));
        }
        let action = || "read the documents";
        let rows = query.load_iter::<DocumentRow, DefaultLoadingMode>(&mut self.connection).or_cannot(action)?;
        for row in rows {
            take(row.or_cannot(action)?)?;
        }
        Ok(())
    }

    /// The latest document that was sent to a path, even if it was taken back.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn latest_document(&mut self, path: &str) -> Result<Option<DocumentRow>, Error> {
        dsl::documents
            .filter(dsl::path.eq(path))
            .select(DocumentRow::as_select())
            .order((dsl::created_at.desc(), dsl::id.desc()))
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read the latest document of {path:?}"))
    }

    /// Deletes all but the newest of the documents that have ended and have no place, and those with the ids `kept`.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn delete_old_documents(&mut self, kept: &HashSet<String>) -> Result<(), Error> {
        let action = || "delete old documents";
        let ended = dsl::place.is_null().and(dsl::finished_at.is_not_null());
        let connection = &mut self.connection;
        let oldest_kept: Option<String> = dsl::documents
            .filter(ended)
            .select(dsl::created_at)
            .order((dsl::created_at.desc(), dsl::id.desc()))
            .offset(MAX_ENDED_DOCUMENTS - 1)
            .first(connection)
            .optional()
            .or_cannot(action)?;
        let Some(oldest_kept) = oldest_kept else { return Ok(()) };
        let old = dsl::documents.filter(ended.and(dsl::created_at.lt(oldest_kept))).select(dsl::id);
        let mut old: Vec<String> = old.load(connection).or_cannot(action)?;
        old.retain(|id| !kept.contains(id));
        for ids in old.chunks(KEYS_PER_STATEMENT) {
            let delete = diesel::delete(dsl::documents.filter(dsl::id.eq_any(ids)));
            delete.execute(connection).or_cannot(action)?;
        }
        Ok(())
    }
}
