//! The table `rejects`: rows that could not be used, with their file and position.

use diesel::{dsl::max, prelude::*};

use crate::{
    Error, Store,
    database::{error::OrCannot, schema::rejects::dsl},
};

/// One rejected row.
#[derive(Debug, Clone, PartialEq)]
pub struct RejectRow {
    /// The line where the row begins, counted from 1.
    pub line: i64,
    /// The byte where the row begins in the unpacked file, counted from 0.
    pub byte_offset: i64,
    /// The reason why it could not be used.
    pub reason: String,
    /// The raw text, cut at 1 KiB.
    pub raw: String,
}

impl Store {
    /// Replaces a file's rejects of one kind: those of its accepted content, or, with `whole_file`, those of the content that was
    /// rejected as a whole. They are read back in the order of `rows`.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn replace_rejects(&mut self, file_id: i64, whole_file: bool, rows: &[RejectRow]) -> Result<(), Error> {
        let action = || format!("replace the rejects of file {file_id}");
        diesel::delete(dsl::rejects.filter(dsl::file_id.eq(file_id).and(dsl::whole_file.eq(whole_file))))
            .execute(&mut self.connection)
            .or_cannot(action)?;
        if rows.is_empty() {
            return Ok(());
        }
        let newest: Option<i64> = dsl::rejects.select(max(dsl::id)).first(&mut self.connection).or_cannot(action)?;
        for (id, row) in (newest.unwrap_or_default() + 1..).zip(rows) {
            let values = (
                dsl::id.eq(id),
                dsl::file_id.eq(file_id),
                dsl::whole_file.eq(whole_file),
                dsl::line.eq(row.line),
                dsl::byte_offset.eq(row.byte_offset),
                dsl::reason.eq(&row.reason),
                dsl::raw.eq(&row.raw),
            );
            self.connection.run(diesel::insert_into(dsl::rejects).values(values)).or_cannot(action)?;
        }
        Ok(())
    }
}
