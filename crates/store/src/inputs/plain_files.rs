//! The table `plain_files`: whether any CSV reader reads an object of a bucket alike. There is a row per file and way of reading it.

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{
        bulk::{Bulk, Change, Values},
        error::OrCannot,
        keys::KEYS_PER_STATEMENT,
        schema::plain_files::{self, dsl},
    },
};

/// The finding about one content of a file.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = plain_files)]
pub struct PlainFileRow {
    /// The source of the file.
    pub source_id: i64,
    /// The path of the file.
    pub path: String,
    /// Digest of the format in which it was read.
    pub way: String,
    /// Hash of the content.
    pub hash: String,
    /// The finding, as JSON.
    pub answer: String,
}

impl Store {
    /// The findings about files of a source, in no particular order.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn plain_files_at<T: AsRef<str>>(&mut self, source_id: i64, paths: &[T]) -> Result<Vec<PlainFileRow>, Error> {
        let mut found = Vec::new();
        for paths in paths.chunks(KEYS_PER_STATEMENT) {
            let these = dsl::source_id.eq(source_id).and(dsl::path.eq_any(paths.iter().map(AsRef::as_ref)));
            let rows: Vec<PlainFileRow> = dsl::plain_files
                .filter(these)
                .select(PlainFileRow::as_select())
                .load(&mut self.connection)
                .or_cannot(|| format!("read which files of source {source_id} are plain"))?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// Stores findings, in place of earlier ones about the same files and ways. No two rows may be about the same.
    ///
    /// # Errors
    /// [`Error::Query`], for instance when there is no such source.
    pub fn put_plain_files(&mut self, rows: &[PlainFileRow]) -> Result<(), Error> {
        self.bulk(rows, |row| format!("store whether {} of source {} is plain", row.path, row.source_id))?;
        Ok(())
    }

    /// The paths of files about which there is a finding, each once, in order: at most `limit` after the path `after`, or from the first on.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn plain_paths(&mut self, source_id: i64, after: Option<&str>, limit: i64) -> Result<Vec<String>, Error> {
        let all = dsl::plain_files.filter(dsl::source_id.eq(source_id));
        let paths = all.select(dsl::path).distinct().order(dsl::path).limit(limit);
        match after {
            Some(after) => paths.filter(dsl::path.gt(after)).load(&mut self.connection),
            None => paths.load(&mut self.connection),
        }
        .or_cannot(|| format!("read which files of source {source_id} are plain"))
    }

    /// Forgets the findings about files.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn forget_plain_files<T: AsRef<str>>(&mut self, source_id: i64, paths: &[T]) -> Result<(), Error> {
        for paths in paths.chunks(KEYS_PER_STATEMENT) {
            let these = dsl::source_id.eq(source_id).and(dsl::path.eq_any(paths.iter().map(AsRef::as_ref)));
            diesel::delete(dsl::plain_files.filter(these))
                .execute(&mut self.connection)
                .or_cannot(|| format!("forget which files of source {source_id} were plain"))?;
        }
        Ok(())
    }
}

impl Bulk for PlainFileRow {
    type Kind = Self;
    const CHANGE: Change = Change::Insert {
        table: "plain_files",
        columns: &["source_id", "path", "way", "hash", "answer"],
        on_conflict: "ON CONFLICT (source_id, path, way) DO UPDATE SET hash = excluded.hash, answer = excluded.answer",
        scattered: false,
    };

    fn push<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        out.number(&self.source_id)?;
        out.text(&self.path)?;
        out.text(&self.way)?;
        out.text(&self.hash)?;
        out.text(&self.answer)
    }
}
